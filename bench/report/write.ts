/** `node bench/report/write.ts`: writes the page of figures anew from the results that are kept. */
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {pages} from './page.ts'
import {DOCS, readResults, type Results} from './results.ts'

export function writePages(results: Results): void {
  for (const [file, text] of Object.entries(pages(results))) writeFileSync(join(DOCS, file), text)
}

if (import.meta.main) writePages(readResults())
