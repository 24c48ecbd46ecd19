import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {page} from './page.ts'
import {DOCS, readResults, type Results} from './results.ts'

export const writePage = (results: Results): void => writeFileSync(join(DOCS, 'performance.md'), page(results))

if (import.meta.main) writePage(readResults())
