import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Test} from 'tap'

const FOLDER = join(import.meta.dirname, '../../../../test/fixtures/kubernetes')

/** Compares a text with a file of `test/fixtures/kubernetes`. With `GOLDEN=write` the file is written: read what changed. */
export function golden(t: Test, name: string, text: string): void {
  const path = join(FOLDER, name)
  if (process.env['GOLDEN'] === 'write') writeFileSync(path, text)
  t.equal(text, readFileSync(path, 'utf8'), name)
}

/** The lines that are only in one of two texts: `-` in the first, `+` in the second. */
export function changes(before: string, after: string): string {
  const old = before.split('\n')
  const next = after.split('\n')
  // length of the longest common part from a line of each on
  const common = Array.from({length: old.length + 1}, () => Array.from({length: next.length + 1}, () => 0))
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = next.length - 1; j >= 0; j--) {
      const row = common[i]
      if (row !== undefined) row[j] = old[i] === next[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  let text = ''
  for (let i = 0, j = 0; i < old.length || j < next.length;)
    if (i < old.length && j < next.length && old[i] === next[j]) [i, j] = [i + 1, j + 1]
    else if (j < next.length && (i === old.length || at(i, j + 1) >= at(i + 1, j))) text += `+ ${next[j++] ?? ''}\n`
    else text += `- ${old[i++] ?? ''}\n`
  return text
}
