// The face of the format templates: Go's text/template as far as Docker's formats use it.
export { type EvaluateOptions, evaluateTemplate } from './evaluate.ts';
export { FUNCTION_NAMES, FUNCTIONS, HEADING_FUNCTIONS } from './functions.ts';
export { fieldsUsed, parseTemplate, type Template } from './parse.ts';
export { TemplateError } from './syntax.ts';
export { MISSING, NIL_LIST, NIL_MAP, type TemplateMap, TYPE_NAME } from './values.ts';
