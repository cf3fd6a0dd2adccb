/*
 * Asks the GNU C library about regular expressions, for glibc-answers.json. Build with `cc -o glibc glibc.c`.
 * Reads lines of flags (as clients number them, decimal), pattern and subject (hex, may be empty), separated by
 * one space each; writes a line for each: 1 match, 0 none, -1 pattern refused. Runs in the C locale.
 */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[1 << 20], pattern[1 << 19], subject[1 << 19];

static void unhex(const char *hex, char *out) {
  unsigned byte;
  while (*hex > ' ' && sscanf(hex, "%2x", &byte) == 1) {
    *out++ = (char)byte;
    hex += 2;
  }
  *out = 0;
}

int main(void) {
  while (fgets(line, sizeof line, stdin)) {
    char *at;
    long flags = strtol(line, &at, 10);
    int cflags = (flags & 1 ? REG_EXTENDED : 0) | (flags & 2 ? REG_ICASE : 0) | (flags & 12 ? REG_NEWLINE : 0);
    unhex(at + 1, pattern);
    unhex(strchr(at + 1, ' ') + 1, subject);
    regex_t regex;
    if (regcomp(&regex, pattern, cflags) != 0) {
      puts("-1");
      continue;
    }
    puts(regexec(&regex, subject, 0, NULL, 0) == 0 ? "1" : "0");
    regfree(&regex);
  }
  return 0;
}
