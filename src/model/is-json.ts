import {orElse} from './or-else.ts'

/** Parses JSON; undefined: another text. */
export const jsonIn = (text: string): unknown => orElse<unknown>(() => JSON.parse(text), undefined)

export const isJson = (text: string): boolean => jsonIn(text) !== undefined
