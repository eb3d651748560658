// Owns how streams and waits differ for older clients. Pure.

export const RAW_STREAM = 'application/vnd.docker.raw-stream';
const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';

/** The content type of container output: framed streams have a name of their own since 1.42. */
export function streamContentType(minor: number, tty: boolean): string {
  return !tty && minor >= 42 ? MULTIPLEXED_STREAM : RAW_STREAM;
}

/** Since 1.30 the headers of a wait go out before the container ends. */
export function waitHeadersFirst(minor: number): boolean {
  return minor >= 30;
}
