import {API} from './api.ts'
import type {BlockApi} from './block-api.ts'

const BLOCKS: readonly BlockApi[] = Object.values(API)

/** The category for which the metrics count a code of an error. */
export const errorCategory = (code: string): string =>
  BLOCKS.find(({errors}) => errors?.codes.test(code) === true)?.errors?.category ?? 'common'
