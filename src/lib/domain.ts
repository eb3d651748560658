// Owns which texts are DNS domains, as Docker's search lists take them. Pure.

const LABEL = '(:?[a-zA-Z0-9]|(:?[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))';
const DOMAIN = new RegExp(`^(:?${LABEL}(:?\\.${LABEL})*)\\.?\\s*$`);

/** `.` alone counts. @source docker 28.2.2, --dns-search */
export function isDomain(text: string): boolean {
  return text === '.' || (text.length < 255 && /[a-zA-Z]/.test(text) && DOMAIN.test(text));
}
