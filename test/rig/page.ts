import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** A block of code that a page shows. */
export interface Block {
  readonly page: string
  /** As it stands behind the fence; empty: a terminal. */
  readonly language: string
  readonly text: string
}

/** README, the manual, and what stands beside the examples: paths from the root. */
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs')).map(name => `docs/${name}`),
  ...readdirSync(join(ROOT, 'examples'), {recursive: true, encoding: 'utf8'}).map(name => `examples/${name}`)
].filter(name => name.endsWith('.md') && !name.includes('node_modules'))

export const textOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8')

export const blocksOf = (page: string): readonly Block[] =>
  [...textOf(page).matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({page, language, text}))

/** The commands of ours in a block of a terminal, without what stands in the place of a prompt. */
export const commandsIn = ({language, text}: Block): readonly string[] =>
  language === '' || language === 'sh'
    ? [...text.matchAll(/^(?:\$ )?((?:npx )?pillion [a-z].*?)(?: +# .*)?$/gm)].map(([, command = '']) => command)
    : []

/** The files that a page of the manual shows: code blocks whose first line is a comment with their name. */
export function filesOf(page: string): Readonly<Record<string, string>> {
  const blocks = blocksOf(`docs/${page}`).map(({text}) => /^(?:\/\/|#) (\S+\.\w+)\n(.*)$/s.exec(text))
  return Object.fromEntries(
    blocks.flatMap(found => (found === null ? [] : [[found[1] ?? '', found[2] ?? ''] as const]))
  )
}
