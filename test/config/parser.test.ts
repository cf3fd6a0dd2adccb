import test from 'ava';
import type { ConfigProblem } from '../../src/config/config-error.js';
import { type ConfigContext, parseContexts } from '../../src/config/parser.js';

function parse(text: string): { root: ConfigContext; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  return { root: parseContexts(text, problems), problems };
}

test('contexts, labels, items and their lines are kept', t => {
  const { root, problems } = parse(
    'service {\n\tnode-id A1\n}\nnamespace test {\n  set users {\n    default-ttl 5\n  }\n}\n',
  );
  t.deepEqual(problems, []);
  const [service, namespace] = root.contexts;
  t.deepEqual(service, {
    name: 'service',
    label: '',
    line: 1,
    items: [{ name: 'node-id', value: 'A1', line: 2 }],
    contexts: [],
  });
  t.is(namespace!.label, 'test');
  t.like(namespace!.contexts[0], { name: 'set', label: 'users', line: 5 });
  t.deepEqual(namespace!.contexts[0]!.items, [{ name: 'default-ttl', value: '5', line: 6 }]);
});

test('a # at the start of a word begins a comment, inside a word it is part of it', t => {
  const { root } = parse(
    '# whole line\nservice { # after a brace\n  cluster-name a#b # after a value\n  #node-id A1\n}\n',
  );
  t.deepEqual(root.contexts[0]!.items, [{ name: 'cluster-name', value: 'a#b', line: 3 }]);
});

test('a value is every further word of the line', t => {
  const { root } = parse('heartbeat {\n  mesh-seed-address-port   10.0.0.1 \t 3002\n  flag\n}\n');
  t.deepEqual(
    root.contexts[0]!.items.map(item => item.value),
    ['10.0.0.1 3002', ''],
  );
});

test('a context may open and close on one line, with and without blanks', t => {
  const { root, problems } = parse('service {}\nfabric{}\nconsole { context any info }\n');
  t.deepEqual(problems, []);
  t.deepEqual(
    root.contexts.map(context => context.name),
    ['service', 'fabric', 'console'],
  );
  t.deepEqual(root.contexts[2]!.items, [{ name: 'context', value: 'any info', line: 3 }]);
});

test('a byte-order mark and carriage returns are no part of anything', t => {
  const { root, problems } = parse('\uFEFFservice {\r\n  node-id A1\r\n}\r\n');
  t.deepEqual(problems, []);
  t.deepEqual(root.contexts[0]!.items, [{ name: 'node-id', value: 'A1', line: 2 }]);
});

test('braces that do not match are reported with their lines', t => {
  t.like(parse('service {\n}\n}\n').problems, [{ line: 3, reason: "this '}' closes nothing" }]);
  t.like(parse('\nservice {\n  node-id A1\n').problems, [{ line: 2, path: 'service' }]);
  t.like(parse('service\n{\n}\n').problems, [{ line: 2 }]);
});
