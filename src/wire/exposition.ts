// Prometheus' text format, version 0.0.4: how measurements of this moment are written for a scraper.
//
// `services/metrics` says what is measured, a node's HTTP server hands the text out at `/metrics`. A
// family is named once, with its help and type, before all its samples; one without samples is left out.
// Source: prometheus.io, "Exposition formats".
import { invariant } from '../base/errors.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A counter only grows while its process lives; a gauge goes up and down. */
export interface MetricFamily {
  /** The unit stands last, before `_total` of a counter. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-z][a-z0-9_]*$/;

/** Throws `InvariantError` for names that the format does not know: they are ours, never from outside. */
export function expositionText(families: readonly MetricFamily[]): string {
  const written = families.filter(({ samples }) => samples.length > 0);
  return written.map(familyText).join('');
}

function familyText({ name, type, help, samples }: MetricFamily): string {
  invariant(NAME.test(name), `${name} is a name for a metric`);
  const lines = samples.map(({ labels, value }) => `${name}${labelsText(labels)} ${valueText(value)}\n`);
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelsText(labels: MetricSample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    invariant(NAME.test(name), `${name} is a name for a label`);
    return `${name}="${escaped(value).replaceAll('"', String.raw`\"`)}"`;
  });
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** The backslash first: the others put in more of them. */
function escaped(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
}

function valueText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
