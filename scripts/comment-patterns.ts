// Finds sentences of comments that do not begin with a verb or a noun. `node scripts/comment-patterns.ts` lists them.
import {globSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

const ROOT = join(import.meta.dirname, '..')
/** First words of clauses, pronouns without a noun, and fragments about special values. */
const FIRST =
  /^(?:What|Who|Whoever|Whatever|Which|Where|It|They|Those|One|None|Nothing|Nobody|Undefined:|False:|True:|'')(?![a-z])/
const COMMENT = /(?<!\S)\/\*\*?([\s\S]*?)\*\/|(?:^|\s)\/\/ ?(.*)/g
/** Shorter pieces, such as names, are not sentences. */
const SHORTEST = 12

/** Returns the sentences of a file's comments that begin with such a word. */
export const badSentences = (text: string): readonly string[] =>
  [...text.matchAll(COMMENT)].flatMap(([, block, line = '']) =>
    (block ?? line)
      .replaceAll(/\n\s*\*\s?/g, ' ')
      .trim()
      .split(/(?<=[.!?])\s+/)
      .filter(sentence => sentence.length >= SHORTEST && FIRST.test(sentence))
  )

if (import.meta.main)
  for (const file of globSync('{src,page}/**/*.{ts,tsx}', {cwd: ROOT}).toSorted())
    if (!/generated|\/test\//.test(file))
      for (const sentence of badSentences(readFileSync(join(ROOT, file), 'utf8'))) console.log(`${file}: ${sentence}`)
