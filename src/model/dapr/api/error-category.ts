import {API} from './api.ts'
import type {BlockApi} from './block-api.ts'

const CATEGORIES = (Object.values(API) as BlockApi[])
  .flatMap(({errors}) => (errors === undefined ? [] : [errors.split(' ')]))
  .map(([parts = '', category = '']) => ({parts: parts.split('|'), category}))

/** Returns the category in which the metrics count a code of an error. */
export const errorCategory = (code: string): string =>
  CATEGORIES.find(({parts}) => parts.some(part => code.includes(part)))?.category ?? 'common'
