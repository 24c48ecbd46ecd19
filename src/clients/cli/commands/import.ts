import {existsSync} from 'node:fs'
import {basename, dirname, join, relative, resolve} from 'node:path'
import {countNotes, importFrom, templateText, usesDapr, type FoundSource} from '#import'
import {loadTemplate} from '../../../files/config/load.ts'
import {UserError} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {readTextFile} from '../../../model/read-file.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {TEMPLATE_NAMES} from '../../../model/template-name.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {print} from '../print.ts'
import {say, UP} from '../say.ts'
import {flagDuration} from '../since.ts'
import {surroundings} from '../template-named.ts'
import {writeGiven} from '../write-given.ts'

/** Delay of the progress line after the start of a search, and between two updates of it, in ms. */
const FIRST_MS = 500
const NEXT_MS = 100

/** Line on a terminal with the number of folders that a long search has read; removed when the search ends. */
export class FolderProgress {
  readonly #stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>
  readonly #now: () => number
  #next: number
  #isShown = false

  constructor(stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>, now = () => performance.now()) {
    this.#stream = stream
    this.#now = now
    this.#next = now() + FIRST_MS
  }

  show(count: number): void {
    if (!this.#stream.isTTY || this.#now() < this.#next) return
    this.#next = this.#now() + NEXT_MS
    this.#isShown = true
    // the search blocks the event loop, but Node writes to a terminal synchronously
    this.#stream.write(`\r\x1b[Kreading folders: ${count.toLocaleString('en')} …`)
  }

  clear(): void {
    if (this.#isShown) this.#stream.write('\r\x1b[K')
    this.#isShown = false
  }
}

/** `import [PATH ...]`: writes a template from Procfiles, compose files, process-compose files, or folders. */
export const importTemplate: CommandHandler = async call => {
  const {flags, words, asJson} = call
  if (words.length > 1 && (flags.text('from') ?? 'folder') !== 'folder') throw new UsageError('--from takes one path')
  const isChecked = flags.isSet('check')
  if (!isChecked && flags.names.includes('timeout')) throw new UsageError('--timeout needs --check')
  const timeoutMs = flagDuration('timeout', flags.text('timeout') ?? '60s')
  const hasJson = isChecked && flags.text('output') === 'json'
  const named = hasJson ? undefined : flags.text('output')
  const cwd = process.cwd()
  const toCheck = named ?? 'pillion.yaml'
  if (toCheck !== '-') checkOutput(resolve(cwd, toCheck), toCheck, flags.isSet('force'))
  const progress = new FolderProgress(process.stderr)
  const {imported, sources} = await importFrom(words.length === 0 ? ['.'] : words, {
    from: flags.text('from'),
    cwd,
    all: flags.isSet('all'),
    run: async tool => {
      progress.clear()
      const {outputOfTool} = await import('../other-tool.ts')
      return outputOfTool(tool, {isAgreed: flags.isSet('yes'), asJson})
    },
    looked: count => progress.show(count)
  }).finally(() => progress.clear())
  const output = named ?? (usesDapr(imported) ? 'dapr.yaml' : 'pillion.yaml')
  const file = resolve(cwd, output === '-' ? 'dapr.yaml' : output)
  const text = templateText(imported, file)
  const checked = templateText(imported, join(dirname(file), 'dapr.yaml'))
  await check(checked, file)
  if (output !== '-') {
    checkOutput(file, output, flags.isSet('force')) // another program may have written the file during the import
    writeGiven(file, text, output)
  } else if (!isChecked) print(process.stdout, text)
  const stream = output === '-' || hasJson ? process.stderr : process.stdout
  const tell = (message: string): void => say(stream, 'info', message, asJson)
  const count = `${imported.apps.length} ${imported.apps.length === 1 ? 'app' : 'apps'}`
  if (output !== '-') say(stream, 'success', `wrote ${count} from ${imported.from} to ${output}`, asJson)
  const notes = countNotes(imported)
  if (notes > 0)
    tell(`${notes === 1 ? 'One comment needs' : `${notes} comments need`} your attention: search for "# import:"`)
  for (const source of sources) if (source.others.length > 0) tell(othersText(source, cwd))
  for (const source of sources) if (source.layers?.[0] !== undefined) tell(layersText(source, cwd))
  if (isChecked) {
    const {checkImported} = await import('../import-check/check.ts')
    const rewrite = (noted: string): void => {
      if (output === '-') print(process.stdout, noted)
      else if (orElse(() => readTextFile(file), '') === text) writeGiven(file, noted, output)
      else say(process.stderr, 'warning', `${output} was changed during the check: it stays as it is`, asJson)
    }
    return checkImported(call, {imported, text: checked, file, timeoutMs, rewrite, output: hasJson ? 'json' : stream})
  }
  const of = ['pillion.yaml', 'dapr.yaml'].includes(relative(cwd, file)) ? '' : ` -f ${shellQuoted(output)}`
  if (output !== '-') tell(`Next: pillion validate${of}, then ${UP}${of}`)
  if (output !== '-' && of === '' && process.stdin.isTTY && process.stdout.isTTY) await offerAgents(file, asJson)
  return 0
}

/** Offers `agent init` for a new template. Reports a refusal, which is not an error. */
async function offerAgents(template: string, asJson: boolean): Promise<void> {
  const {initAgents} = await import('./agent.ts')
  await initAgents(template, {asJson, isAsked: true}).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error
    say(process.stdout, 'info', `${error.message}\nTo write it later: pillion agent init`, asJson)
  })
}

/** Names the other files that were found. Suggests a command if a Procfile and a compose file make one template together. */
function othersText({kind, path, others, folder}: FoundSource, cwd: string): string {
  const shown = (name: string): string => relative(cwd, join(folder, name))
  const pair = [...(kind === 'folder' ? [] : [relative(folder, path)]), ...others]
  const programs = pair.find(name => /^(?:Procfile|process)/.test(name))
  const both = pair.filter(name => /^(?!process).*compose/.test(name) || name === programs)
  const command = both.length === 2 ? `, or both: pillion import ${both.toSorted().map(shown).join(' ')}` : '.'
  return `Also found: ${others.join(', ')}. Name a file to import it instead${command}`
}

/** Names the override files of a compose file, and the command that reads one for development with it. */
function layersText({path, layers = [], folder}: FoundSource, cwd: string): string {
  const [own = '', ...names] = [basename(path), ...layers].map(name => relative(cwd, join(folder, name)))
  const all = names.slice(0, 3).join(names.length === 2 ? ' and ' : ', ')
  const dev = names.find(name => /[.-](?:dev|development|local)\b/.test(name))
  const both = dev === undefined ? 'name both files to read both' : `pillion import ${own} ${dev} reads both`
  return `${all} ${names.length === 1 ? 'changes' : 'change'} services of ${own}: ${both}`
}

/** Throws a UserError without `--force` if the file exists, or if it would become a second template of its folder. */
function checkOutput(file: string, output: string, isForced: boolean): void {
  if (!/\.ya?ml$/.test(output)) throw new UserError(`-o ${output}: the name of a template must end in .yaml`)
  const others = (TEMPLATE_NAMES as readonly string[]).includes(basename(file))
    ? TEMPLATE_NAMES.map(name => join(dirname(file), name))
    : []
  const there = [file, ...others].find(each => existsSync(each))
  if (there === undefined || isForced) return
  throw new UserError(`${basename(there)} already exists`, {
    explanation: 'Write another file: -o imported.yaml. Print it: -o -. Overwrite it: --force.'
  })
}

/** Throws a UserError if the template cannot be loaded, before anything is written. */
async function check(text: string, file: string): Promise<void> {
  const around = {...surroundings(), cwd: dirname(file), readStdin: () => text}
  try {
    await loadTemplate('-', around, {watch: false})
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    if (error.mistakes.some(({code}) => code === 'interpolation')) return // a variable may be set later, when the template runs
    throw new UserError(`cannot write a template from this: ${error.message}`, {explanation: error.explanation})
  }
}
