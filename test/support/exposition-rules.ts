// What Prometheus' text format 0.0.4 demands of every text, and what its naming rules add to that.
import assert from 'node:assert/strict';

const COMMENT = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^\n]*\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const VALUE = /^(?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/;
const UNESCAPED: Readonly<Record<string, string>> = { '\\\\': '\\', '\\n': '\n', '\\"': '"' };

export interface ReadSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of each family as a scraper reads them; throws where a rule of the format is broken. */
export function readExposition(text: string): ReadonlyMap<string, readonly ReadSample[]> {
  assert.ok(text === '' || text.endsWith('\n'), 'the last line ends too');
  const families = new Map<string, ReadSample[]>();
  const seen = new Set<string>();
  let [help, family] = ['', ''];
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = COMMENT.exec(line);
    if (comment?.[1] === 'HELP') {
      help = comment[2] ?? '';
      assert.ok(!families.has(help), `${help} stands in one place`);
    } else if (comment !== null) {
      family = comment[2] ?? '';
      assert.equal(family, help, 'a help comes before its type');
      assert.match(comment[3] ?? '', /^(?:counter|gauge)$/);
      assert.equal(comment[3] === 'counter', family.endsWith('_total'), `${family} is named by its type`);
      families.set(family, []);
    } else {
      const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? assert.fail(line);
      assert.equal(name, family, 'a sample stands below its type');
      assert.match(value, VALUE, line);
      const number = Number(value.replace('Inf', 'Infinity'));
      const sample = { labels: readLabels(labels.slice(1, -1)), value: number };
      const key = name + JSON.stringify(Object.entries(sample.labels).sort());
      assert.ok(!seen.has(key), `${line} is told once`);
      seen.add(key);
      families.get(name)?.push(sample);
    }
  }
  return families;
}

function readLabels(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name = '', value = ''] = LABEL.exec(text) ?? assert.fail(`labels ${text}`);
    assert.ok(!Object.hasOwn(labels, name), `${name} is there once`);
    labels[name] = value.replaceAll(/\\./g, (escape) => UNESCAPED[escape] ?? escape);
  }
  return labels;
}
