import {API} from './api.ts'
import type {BlockApi} from './block-api.ts'

const CATEGORIES = (Object.values(API) as BlockApi[]).flatMap(({errors}) =>
  errors === undefined ? [] : [errors.split(' ')]
)

/** The category for which the metrics count a code of an error. */
export const errorCategory = (code: string): string =>
  CATEGORIES.find(([part = '']) => code.includes(part))?.[1] ?? 'common'
