import {orElse} from './or-else.ts'

/** The value of a text in JSON; undefined: it is none. */
export const jsonIn = (text: string): unknown => orElse<unknown>(() => JSON.parse(text), undefined)

export const isJson = (text: string): boolean => jsonIn(text) !== undefined
