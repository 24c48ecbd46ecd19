import type {Row} from './tool.ts'

/** The tools of `x-tools` in `schema/api.yaml`. */
export declare const ROWS: readonly Row[]
