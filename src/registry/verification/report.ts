// Owns reading a scanner's report: how many findings of which severity. Pure.
// @source trivy and grype JSON output

import { GantryError } from '../../lib/errors.ts';
import { isRecord } from '../../spec/oci/manifest.ts';

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];
export type Counts = Readonly<Record<Severity | 'unknown', number>>;

export const REPORT_TYPE = 'application/vnd.gantry.vulnerability-report.v1+json';
/** Annotations of a report's manifest. */
export const COUNTS_ANNOTATION = 'dev.gantry.scan.counts';
export const SCANNER_ANNOTATION = 'dev.gantry.scan.scanner';

/** Counts the findings of a report. @throws REPORT_INVALID */
export function countFindings(format: 'trivy' | 'grype', text: string): Counts {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new GantryError('invalid', 'REPORT_INVALID', 'the report is no JSON', { cause });
  }
  const severities = format === 'trivy' ? trivySeverities(body) : grypeSeverities(body);
  if (!severities) throw new GantryError('invalid', 'REPORT_INVALID', `the report is not of the format ${format}`);
  const counts = { low: 0, medium: 0, high: 0, critical: 0, unknown: 0 };
  for (const severity of severities) {
    const name = severity.toLowerCase() === 'negligible' ? 'low' : severity.toLowerCase();
    if (Object.hasOwn(counts, name)) counts[name as keyof typeof counts]++;
    else counts.unknown++;
  }
  return counts;
}

/** The counts that a report's manifest is annotated with, or undefined when it is no report of ours. */
export function countsIn(annotations: Readonly<Record<string, string>>): Counts | undefined {
  const match = /^low=(\d{1,9}),medium=(\d{1,9}),high=(\d{1,9}),critical=(\d{1,9}),unknown=(\d{1,9})$/.exec(
    annotations[COUNTS_ANNOTATION] ?? '',
  );
  if (!match) return undefined;
  const [, low, medium, high, critical, unknown] = match.map(Number);
  return { low: low ?? 0, medium: medium ?? 0, high: high ?? 0, critical: critical ?? 0, unknown: unknown ?? 0 };
}

/** What `countsIn` reads. */
export function countsText({ low, medium, high, critical, unknown }: Counts): string {
  return `low=${low},medium=${medium},high=${high},critical=${critical},unknown=${unknown}`;
}

/** The severity at or over `limit` that was found, worst first. */
export function worstOver(counts: Counts, limit: Severity): Severity | undefined {
  return SEVERITIES.slice(SEVERITIES.indexOf(limit))
    .reverse()
    .find((severity) => counts[severity] > 0);
}

function trivySeverities(body: unknown): string[] | undefined {
  if (!isRecord(body) || body.SchemaVersion === undefined) return undefined;
  const results = Array.isArray(body.Results) ? (body.Results as readonly unknown[]) : [];
  return results.flatMap((result) => {
    const findings =
      isRecord(result) && Array.isArray(result.Vulnerabilities) ? (result.Vulnerabilities as readonly unknown[]) : [];
    return findings.map((finding) => (isRecord(finding) ? String(finding.Severity) : ''));
  });
}

function grypeSeverities(body: unknown): string[] | undefined {
  if (!isRecord(body) || !Array.isArray(body.matches)) return undefined;
  return (body.matches as readonly unknown[]).map((match) =>
    isRecord(match) && isRecord(match.vulnerability) ? String(match.vulnerability.severity) : '',
  );
}
