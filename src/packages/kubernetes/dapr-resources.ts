import {dirname} from 'node:path'
import {explainPlace} from '../../files/config/diagnose.ts'
import {messageOf, UserError, type Place} from '../../model/errors.ts'
import type {FileVariables} from '../../model/expansion.ts'
import type {AppPlan} from '../../model/plan.ts'
import {readTextBytes} from '../../model/read-file.ts'
import {decodeText} from '../../files/yaml/decode-text.ts'
import type {Field} from '../../files/resources/field.ts'
import {parseResourceFile, type ResourceFile} from '../../files/resources/resource-file.ts'
import {filesIn, shownFrom} from '../../files/resources/resource-folder.ts'
import {labelsOf, type ResourceObject} from './object.ts'
import {daprResource} from './dapr-resource.ts'
import {COMPOSE, componentWarnings, configurationWarnings, foreignWarnings, placeWarnings} from './resource-warnings.ts'

export interface DaprResourcesOptions {
  readonly namespace: string
  /** The template's name as a label. */
  readonly template: string
  /** Working folder: paths below it are shown relative to it. */
  readonly cwd: string
}

/** The kinds that a sidecar reads from its folders and from the API server alike. */
const FOLDER_KINDS = new Set(['Component', 'HTTPEndpoint', 'Resiliency', 'Subscription', 'WorkflowAccessPolicy'])

/** A resource as its file has it, and the apps whose folders have it. */
interface Found {
  readonly document: Field
  readonly apps: Set<string>
  readonly shownAs: string
  /** The text, to compare it with others of its kind and name. */
  readonly text: string
}

/**
 * The resources of Dapr that the apps of a template have on the laptop, as objects: one for each kind and name. Leaves out
 * Dapr's own folder, which the template does not name.
 */
export class DaprResources {
  readonly #checks: (() => void)[] = []
  readonly #plans: readonly AppPlan[]
  readonly #options: DaprResourcesOptions
  readonly #files = new Map<string, ResourceFile>()
  /** The resources by kind and name. */
  readonly #found = new Map<string, Found>()
  readonly #configurations = new Map<string, string>()
  /** Warnings about files in the folders that are not resources of Dapr. */
  readonly #leftOut: string[] = []

  constructor(plans: readonly AppPlan[], options: DaprResourcesOptions) {
    this.#plans = plans
    this.#options = options
    for (const plan of plans) this.#readFolders(plan)
    for (const plan of plans) this.#readConfiguration(plan)
  }

  /** Checks that throw a `UserError` for a mistake. The list is complete once the objects have been read. */
  get checks(): readonly (() => void)[] {
    const faults = [...this.#files.values()].flatMap(file => file.faults).filter(({severity}) => severity === 'error')
    return [
      ...this.#checks,
      ...faults.map(
        ({place, message, expected}) =>
          () =>
            refuse(place, message, expected)
      )
    ]
  }

  get objects(): readonly ResourceObject[] {
    const {namespace, template} = this.#options
    return [...this.#found.values()].flatMap(({document, apps, shownAs}) => {
      const scopes = this.#scopesOf(document, apps)
      return scopes === 'none' ? [] : [{shownAs, object: daprResource(document, namespace, labelsOf(template), scopes)}]
    })
  }

  get warnings(): readonly string[] {
    const components = [...this.#found.values()].map(({document}) => document)
    const all = components.flatMap(document =>
      document.field('kind').text() === 'Configuration'
        ? configurationWarnings(document, this.#options.namespace)
        : componentWarnings(document, components)
    )
    return [...new Set([...all, ...this.#namespaceWarnings(components), ...this.#leftOut])]
  }

  /** Warnings about resources that have another meaning in containers of a compose file. */
  get composeWarnings(): readonly string[] {
    return [...new Set([...this.#found.values()].flatMap(({document}) => placeWarnings(document, COMPOSE)))]
  }

  /** The name of an app's Configuration; '': none. */
  configurationOf = ({resources: {configFile}}: AppPlan): string => this.#configurations.get(configFile) ?? ''

  #readFolders({id, resources: {folders, configFile, defaultFolder, variables}}: AppPlan): void {
    const named = folders.filter(folder => dirname(folder) !== defaultFolder)
    for (const path of new Set(named.flatMap(filesIn)))
      if (path !== configFile)
        for (const document of this.#read(path, variables))
          if (FOLDER_KINDS.has(document.field('kind').text())) this.#add(document, id, path)
  }

  #readConfiguration({id, resources: {configFile, defaultFolder}}: AppPlan): void {
    if (configFile === '' || dirname(configFile) === defaultFolder) return
    const document = this.#read(configFile).find(each => each.field('kind').text() === 'Configuration')
    if (document === undefined) return
    this.#configurations.set(configFile, document.field('metadata').field('name').text())
    this.#add(document, id, configFile)
  }

  /** Reads the documents of a file that are for Dapr. */
  #read(path: string, variables?: FileVariables): readonly Field[] {
    let file = this.#files.get(path)
    if (file === undefined) {
      file = this.#parse(path, variables)
      this.#files.set(path, file)
      this.#leftOut.push(...file.documents.flatMap(foreignWarnings))
    }
    return file.documents.filter(
      document => document.isMapping && document.field('apiVersion').text().startsWith('dapr.io/')
    )
  }

  #parse(path: string, variables: FileVariables | undefined): ResourceFile {
    const file = shownFrom(this.#options.cwd, path)
    try {
      return parseResourceFile({file, text: decodeText(readTextBytes(path))}, variables)
    } catch (error) {
      this.#checks.push(() => refuse({file, line: 1, column: 1, source: ''}, `it cannot be read: ${messageOf(error)}`))
      return {documents: [], faults: [], references: []}
    }
  }

  #add(document: Field, app: string, path: string): void {
    const name = document.field('metadata').field('name')
    const kind = document.field('kind').text()
    const key = `${kind}/${name.text()}`
    const text = JSON.stringify(document.plain())
    const before = this.#found.get(key)
    if (before === undefined) {
      this.#found.set(key, {document, apps: new Set([app]), shownAs: shownFrom(this.#options.cwd, path), text})
      this.#checks.push(() => checkName(kind, name))
      if (kind === 'Component') this.#checks.push(() => checkType(document.field('spec').field('type')))
      return
    }
    if (before.text === text) return void before.apps.add(app)
    const {file, line} = before.document.field('metadata').field('name').place
    const message = `there are two different ${kind}s ${JSON.stringify(name.text())}: the other one is at ${file}:${line}`
    this.#checks.push(() => refuse(name.place, message, 'rename one of them: a namespace has one of a name'))
  }

  /** Returns the apps that may use a resource: every sidecar of a namespace loads one without scopes. undefined: no scopes; `none`: no app may use it. */
  #scopesOf(document: Field, apps: ReadonlySet<string>): readonly string[] | undefined | 'none' {
    const field = document.field('scopes')
    if (document.field('kind').text() === 'Configuration') return undefined
    const written = field.isAbsent ? undefined : field.items().map(item => item.text())
    if (this.#plans.every(({id}) => apps.has(id))) return written
    const scopes = written === undefined || written.length === 0 ? [...apps] : written.filter(id => apps.has(id))
    return scopes.length === 0 ? 'none' : scopes
  }

  #namespaceWarnings(documents: readonly Field[]): readonly string[] {
    return documents.flatMap(document => {
      const field = document.field('metadata').field('namespace')
      if (field.isAbsent || field.text() === this.#options.namespace) return []
      const {file, line, column} = field.place
      return [
        `${file}:${line}:${column}: the namespace ${JSON.stringify(field.text())} is left out: everything of a template goes to one`
      ]
    })
  }
}

/** Names of objects (RFC 1123, a subdomain). */
const OBJECT_NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

function checkName(kind: string, name: Field): void {
  if (OBJECT_NAME.test(name.text()) && name.text().length <= 253) return
  const message = `${JSON.stringify(name.text())} cannot name a ${kind} in Kubernetes`
  refuse(name.place, message, 'expected lower case letters, digits, - and .')
}

/** Refuses a number as a type: it would become a different text. */
function checkType(type: Field): void {
  if (type.isText && type.text() !== '') return
  const message = `spec.type is ${type.isAbsent ? 'missing' : type.isText ? 'empty' : 'no text'}`
  refuse(type.place, message, 'expected a text such as state.redis')
}

function refuse(place: Place, message: string, hint = ''): never {
  const length = /^\S*/.exec(place.source.slice(place.column - 1))?.[0].length ?? 1
  throw new UserError(`${place.file}: ${message}`, {
    code: 'resource-mistake',
    explanation: explainPlace(place, length, [hint]),
    mistakes: [{code: 'resource-mistake', message, place, expected: '', hint}]
  })
}
