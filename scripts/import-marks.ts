import {globSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const FOLDER = 'src/packages/import'
/** Texts that are no marks: errors, commands of a shell, and lists of words. */
const ERRORS = new Set(['UserError', 'unreadable', 'Error', 'nothingFound', 'TypeError', 'RegExp'])
const OTHERS =
  / && |"\$|\$\{|cannot import|^Looked for|^package\.json|^Add --from|^Name the file|Written by pillion|behind "|kind of|-h 127\.0\.0\.1|^exec |^(?:build|image|command|volumes) \w+ \w+ \w+|User ID=|^\.js /

const NAMES: Readonly<Record<string, string>> = {
  'all sources': 'All sources',
  compose: 'Compose files, and what is put into their terms',
  folder: 'Folders',
  processes: 'Procfile and process-compose',
  kubernetes: 'Kubernetes and skaffold',
  tilt: 'Tiltfiles',
  aspire: 'Aspire'
}

/** The page of the manual. */
export function importMarksPage(): string {
  const marks = importMarks()
  const parts = Object.entries(NAMES).map(
    ([name, title]) => `## ${title}\n\n${(marks.get(name) ?? []).map(text => `- \`\` ${text} \`\``).join('\n')}\n`
  )
  return [
    '# Comments of import\n',
    '<!-- written by `npm run docs` from src/packages/import -->\n',
    'What `pillion import` could not carry over, or what needs a look, is a comment behind `# import:` in the template that it writes. These are their words, by source; `…` stands for names, numbers and places. Each says what to do; [import](from-a-procfile.md#what-import-reads) says what is read.\n',
    ...parts
  ].join('\n')
}

/** The words of all marks that import writes, with `…` for what differs, by the folder of the source. */
function importMarks(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  for (const path of globSync(`${FOLDER}/**/*.ts`, {cwd: ROOT}).toSorted()) {
    if (path.includes('/test/')) continue
    const [part = ''] = path.slice(FOLDER.length + 1).split('/')
    const name = part.endsWith('.ts') ? 'all sources' : part
    const marks = found.get(name) ?? new Set()
    found.set(name, marks)
    for (const text of textsOf(readFileSync(join(ROOT, path), 'utf8'))) {
      const clean = text.replaceAll(/\s+/g, ' ').trim()
      if ((clean.match(/[a-z']{2,}/gi) ?? []).length >= 3 && clean.includes(' ') && !OTHERS.test(clean))
        marks.add(clean)
    }
  }
  return new Map([...found].map(([name, marks]) => [name, [...marks].toSorted()]))
}

/** The texts of a source file, outside of errors. */
function textsOf(source: string): readonly string[] {
  const texts: string[] = []
  let at = 0
  const isError: boolean[] = []
  const take = (text: string): void => void (isError.includes(true) || texts.push(text))
  /** Up to the end, or to the brace that closes a part of a template. */
  const scan = (): void => {
    for (let depth = 0; at < source.length; at++) {
      const [character = '', rest] = [source[at], source.slice(at)]
      const before = source.slice(0, at).trimEnd()
      if (character === '{') depth++
      else if (character === '}' && depth-- === 0) return
      else if (character === '(') isError.push(ERRORS.has(/(\w+)$/.exec(before)?.[1] ?? ''))
      else if (character === ')') isError.pop()
      else if (rest.startsWith('//')) at += rest.indexOf('\n')
      else if (rest.startsWith('/*')) at += rest.indexOf('*/') + 1
      else if (character === "'") {
        const [whole = "'", text = ''] = /^'((?:[^'\\]|\\.)*)'/.exec(rest) ?? []
        if (!/\bfrom$|\bimport\($/.test(before)) take(text)
        at += whole.length - 1
      } else if (character === '`') template()
      else if (character === '/' && /(?:[(,=:[!&|?{};]|=>|\breturn)$/.test(before))
        at += (/^\/(?:[^/\\[]|\\.|\[(?:[^\]\\]|\\.)*\])+\//.exec(rest)?.[0].length ?? 1) - 1
    }
  }
  const template = (): void => {
    let text = ''
    for (at++; at < source.length && source[at] !== '`'; at++) {
      if (source.startsWith('${', at)) {
        at += 2
        scan()
        text += '…'
      } else if (source[at] === '\\') text += source[++at] ?? ''
      else text += source[at] ?? ''
    }
    take(text)
  }
  scan()
  return texts
}
