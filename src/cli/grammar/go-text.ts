// Owns nothing: the readers of Go's plain values, under the name that the command line's grammar knows them by.

export * from '../../lib/go-text.ts';
