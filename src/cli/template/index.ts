// The face of the format templates: Go's text/template on the Go types of Docker's objects.
export { evaluateTemplate } from './evaluate.ts';
export { FUNCTION_NAMES, HEADING_FUNCTIONS } from './functions.ts';
export { dockerValue } from './go/docker-types.ts';
export { rawValue } from './go/values.ts';
export { parseTemplate } from './parse.ts';
export { headingValue, JSON_ROW, rowLists, rowValue, type TemplateMap, TYPE_NAME } from './rows.ts';
export { fieldsUsed, type Template, TemplateError } from './syntax.ts';
