/** Entry of scripts/load-test: arguments, signals, output, exit status. */
import { writeFileSync } from 'node:fs';
import { runLoadTest } from './load-test.js';
import { HELP, type LoadOptions, parseOptions, UsageError } from './options.js';
import { finalTable } from './report.js';

const EXIT_ERRORS = 1;
const EXIT_USAGE = 2;

async function main(args: readonly string[]): Promise<number> {
  let options: LoadOptions | undefined;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nscripts/load-test --help says what there is`);
    return EXIT_USAGE;
  }
  if (options === undefined) {
    console.log(HELP);
    return 0;
  }
  const { plan } = options;
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  // With --json - the standard output belongs to the JSON text.
  const print = options.jsonFile === '-' ? console.error : console.log;
  try {
    const report = await runLoadTest(options, print, interrupted.signal);
    print(finalTable(report, options.percentiles));
    if (options.jsonFile === '-') console.log(JSON.stringify(report));
    else if (options.jsonFile !== undefined)
      writeFileSync(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    return report.isClean ? 0 : EXIT_ERRORS;
  } catch (error) {
    console.error(
      `cannot load ${plan.host}:${plan.port}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return EXIT_ERRORS;
  }
}

process.exitCode = await main(process.argv.slice(2));
