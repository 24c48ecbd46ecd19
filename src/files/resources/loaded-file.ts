import {isDeepStrictEqual} from 'node:util'
import {variableOf, type Environment} from '../../model/environment.ts'
import {codeOf, messageOf} from '../../model/errors.ts'
import type {FileVariables} from '../../model/expansion.ts'
import {readTextBytes} from '../../model/read-file.ts'
import {decodeText} from '../yaml/decode-text.ts'
import {CONFIGURATION_FILE} from '../yaml/other-dialects.ts'
import type {ResourceSnapshot} from './app-resources.ts'
import {readComponents} from './components.ts'
import type {FactsOfType} from './component-types.ts'
import {readConfiguration} from './read-configuration.ts'
import {type Configuration} from './dapr-configuration.ts'
import {DEFAULT_CONFIGURATION} from './defaults.ts'
import type {ResourceFault} from './fault.ts'
import {parseResourceFile, headOf, type ResourceFile, type ResourceHead} from './resource-file.ts'
import {readHttpEndpoints} from './http-endpoints.ts'
import {readResiliency, type ResiliencyResource} from './resiliency/resiliency.ts'
import {readSubscriptions} from './subscriptions.ts'
import {readAccessPolicies} from './workflow-access.ts'
import {findUnreadKeys, findWithoutEffect, type WithoutEffect} from './without-effect.ts'

/** A variable in braces, of one special character, or a word; or a brace that is not closed within 250 characters: a longer search would cost quadratic time. */
const VARIABLE = /\$(?:\{([^}]{0,250})\}|([-*#$@!?0-9])|(\w+)|\{)/g

/** Replaces `$NAME` and `${NAME}` as Go's `os.ExpandEnv` does: an unset variable is empty, braces without a name vanish, and a `$` without a name stays. */
export const expandVariables = (text: string, env: Environment): string =>
  text.includes('$')
    ? text.replace(VARIABLE, (_, braced?: string, special?: string, word?: string) =>
        variableOf(env, braced ?? special ?? word ?? '')
      )
    : text

/** Content of one file of a resource folder. */
export interface FolderFile extends Omit<ResourceSnapshot, 'resiliency' | 'mcpServers' | 'configuration' | 'faults'> {
  readonly resiliency: ResiliencyResource | undefined
  readonly mcpServers: readonly ResourceHead[]
}

export interface ConfigFile {
  readonly configuration: Configuration
  readonly withoutEffect: readonly WithoutEffect[]
}

const EMPTY_FILE: FolderFile = {
  endpoints: [],
  components: [],
  subscriptions: [],
  resiliency: undefined,
  accessPolicies: [],
  mcpServers: [],
  withoutEffect: [],
  references: []
}

export const EMPTY_CONFIG: ConfigFile = {configuration: DEFAULT_CONFIGURATION, withoutEffect: []}

export interface FileKind<T> {
  /** Returns the value of a file that was not read. `fault`: why it cannot be read; '': it does not exist, or was not tried yet. */
  readonly unread: (fault: string) => T
  readonly read: (file: string, text: string, context: ReadContext) => Promise<FileContent<T>>
  /** Whether a value stays in use if a later version of the file is faulty. */
  readonly isUsable: (value: T) => boolean
}

/** The content of a file, usable or not. */
interface FileContent<T> {
  readonly value: T
  readonly faults: readonly ResourceFault[]
}

export interface ReadContext {
  /** The environment of Pillion itself. */
  readonly env: Environment
  readonly factsOfType: FactsOfType
  /** Values for `${…}` in the files of a folder. Default: nothing is replaced. */
  readonly variables?: FileVariables | undefined
}

export const FOLDER_FILE: FileKind<FolderFile> = {
  unread: () => EMPTY_FILE,
  read: async (file, text, {env, factsOfType, variables}) => {
    const parsed = parseResourceFile({file, text}, variables)
    const value = {
      endpoints: readHttpEndpoints(parsed, env),
      components: readComponents(parsed, factsOfType),
      subscriptions: await readSubscriptions(parsed),
      resiliency: await readResiliency(parsed),
      accessPolicies: readAccessPolicies(parsed),
      mcpServers: readMcpServers(parsed),
      withoutEffect: findWithoutEffect(parsed),
      references: parsed.references
    }
    return {value, faults: parsed.faults}
  },
  isUsable: () => true
}

/** An unreadable file prevents the start of its app: its restrictions are unknown. */
export const CONFIG_FILE: FileKind<ConfigFile> = {
  unread: fault => ({...EMPTY_CONFIG, configuration: {...DEFAULT_CONFIGURATION, fault}}),
  read: async (file, text, {env}) => {
    const parsed = parseResourceFile({file, text: expandVariables(text, env)}, undefined, CONFIGURATION_FILE)
    const withoutEffect = findUnreadKeys(parsed)
    const configuration = (await readConfiguration(parsed)) ?? {...DEFAULT_CONFIGURATION, fault: faultIn(parsed)}
    // shows the text as written, without the values of variables
    return {value: {configuration, withoutEffect}, faults: withSource(parsed.faults, text)}
  },
  isUsable: ({configuration}) => configuration.fault === ''
}

/** Returns the fault of a Configuration that cannot be used. */
function faultIn({faults}: ResourceFile): string {
  const [first] = faults.filter(({severity}) => severity === 'error')
  return first === undefined ? '' : `${first.place.file}:${first.place.line}: ${first.message}`
}

function withSource(faults: ResourceFile['faults'], text: string): readonly ResourceFault[] {
  if (!text.includes('$') || faults.length === 0) return faults
  const lines = text.split('\n')
  return faults.map(fault => ({
    ...fault,
    place: {...fault.place, source: (lines[fault.place.line - 1] ?? '').replace(/\r$/, '')}
  }))
}

export const isBroken = ({faults}: FileContent<unknown>): boolean => faults.some(({severity}) => severity === 'error')

/** The last content of a file that could be used; it is read again when its text or its variables have changed. */
export class LoadedFile<T> {
  value: T
  /** Mistakes in the current text. */
  faults: readonly ResourceFault[] = []
  readonly #path: string
  readonly #shownAs: string
  readonly #kind: FileKind<T>
  /** The text that was read last. Undefined if the file could not be read since then. */
  #seen: (Pick<ReadContext, 'variables'> & {readonly text: string}) | undefined
  #wasUsable = false

  constructor(path: string, shownAs: string, kind: FileKind<T>) {
    this.value = kind.unread('')
    this.#path = path
    this.#shownAs = shownAs
    this.#kind = kind
  }

  /** Reads the file again. Returns whether anything has changed. Never throws. */
  async refresh(context: ReadContext): Promise<boolean> {
    try {
      const seen = {text: decodeText(readTextBytes(this.#path)), variables: context.variables}
      if (isDeepStrictEqual(seen, this.#seen)) return false
      const content = await this.#kind.read(this.#shownAs, seen.text, context)
      this.faults = content.faults
      // at the start a usable part is better than nothing; later the last valid content is better
      if (!this.#wasUsable || !isBroken(content)) this.value = content.value
      this.#seen = seen
      this.#wasUsable ||= this.#kind.isUsable(this.value)
      return true
    } catch (error) {
      // Dapr's default Configuration is optional
      if (codeOf(error) === 'ENOENT' && !this.#wasUsable) return this.#fail('')
      return this.#fail(`it cannot be read: ${messageOf(error)}`)
    }
  }

  #fail(message: string): boolean {
    const place = {file: this.#shownAs, line: 1, column: 1, source: ''}
    const isKnown = (this.faults[0]?.message ?? '') === message
    this.faults = message === '' ? [] : [{severity: 'error', message, place, expected: '', hint: ''}]
    this.#seen = undefined
    if (!this.#wasUsable) this.value = this.#kind.unread(message === '' ? '' : `${place.file}:1: ${message}`)
    return !isKnown
  }
}

/** Reads Dapr's MCPServers (pkg/apis/mcpserver/v1alpha1) for the list; Pillion does not call their tools. */
const readMcpServers = ({documents}: ResourceFile): readonly ResourceHead[] =>
  documents.filter(document => document.field('kind').text() === 'MCPServer').map(headOf)
