import {randomUUID} from 'node:crypto'
import {existsSync} from 'node:fs'
import {lstat, readFile, realpath, readdir, rmdir, stat, unlink, writeFile, readlink} from 'node:fs/promises'
import {dirname, join, relative, resolve, sep, isAbsolute} from 'node:path'
import {jsonIn} from '../../../model/is-json.ts'
import {isBase64} from '../../../model/bytes.ts'
import {codeOf, messageOf} from '../../../model/errors.ts'
import {fileFault} from '../../../model/read-file.ts'
import {bindingOf, type Binding, type BindingRequest, type BindingResponse} from '../binding.ts'
import type {OpenComponent} from '../component.ts'
import {because} from '../properties.ts'
import {makeFolder} from '../../../platform/make-folder.ts'
import {ownOf} from '../../../model/own.ts'

/** Folders that Dapr forbids (components-contrib: bindings/localstorage). */
const FORBIDDEN = ['/proc', '/sys', '/boot', '/var/run/secrets']

/** `bindings.localstorage`: files below one folder. */
export const open: OpenComponent<Binding> = async options => {
  const {properties, folder} = options
  const written = properties.text('rootPath')
  const fail = (why: string): never => properties.fault('rootPath', why)
  if (written === '') fail('failed to parse metadata: property rootPath must not be empty')
  const root = await resolved(resolve(folder, written), fail)
  if (FORBIDDEN.some(path => root === path || root.startsWith(path + sep)))
    fail('failed to parse metadata: property rootPath points to a disallowed location')
  try {
    makeFolder(root)
  } catch (error) {
    fail(`unable to create directory specified by 'rootPath' ${root}: ${messageOf(error)}`)
  }
  return bindingOf(options, {
    output: {
      operations: Object.keys(OPERATIONS),
      invoke: async request => ownOf(OPERATIONS, request.operation)?.(root, request)
    }
  })
}

type Operation = (root: string, request: BindingRequest) => Promise<BindingResponse | undefined>

const OPERATIONS: Readonly<Record<string, Operation>> = {create, get, list, delete: remove}

/** Resolves the links of a path, whose last parts may not exist. */
async function resolved(path: string, fail: (why: string) => never): Promise<string> {
  try {
    const found = await realpath(path)
    return (await stat(found)).isDirectory()
      ? found
      : fail('failed to parse metadata: property rootPath represents a file and not a directory')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return join(await resolved(dirname(path), fail), path.slice(dirname(path).length))
  }
}

const nameIn = ({metadata}: BindingRequest): string => metadata['fileName'] ?? ''

const json = (value: unknown): BindingResponse => ({data: Buffer.from(JSON.stringify(value)), metadata: {}})

async function create(root: string, request: BindingRequest): Promise<BindingResponse> {
  const path = await pathInside(root, nameIn(request) || randomUUID())
  const folder = dirname(path)
  try {
    makeFolder(folder)
  } catch (error) {
    throw new Error(`error creating directory ${folder}: ${messageOf(error)}`, {cause: error})
  }
  const save = async (): Promise<void> => {
    checkFile(path)
    await writeFile(path, contentOf(request.data))
  }
  await save().catch(because(`error creating file ${path}`))
  return json({fileName: relative(root, path)})
}

async function get(root: string, request: BindingRequest): Promise<BindingResponse> {
  const path = await pathInside(root, nameIn(request))
  try {
    checkFile(path)
    return {data: await readFile(path), metadata: {}}
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new Error(`file not found: ${path}`, {cause: error})
    throw new Error(`error reading file ${path}: ${messageOf(error)}`, {cause: error})
  }
}

/** Throws for an existing path that is not a file: a named pipe would block one of the few threads that read files. */
function checkFile(path: string): void {
  if (!existsSync(path)) return
  const fault = fileFault(path)
  if (fault !== '') throw new Error(fault)
}

/** Lists all files below a folder, in the order of their paths. */
async function list(root: string, request: BindingRequest): Promise<BindingResponse> {
  const path = await pathInside(root, nameIn(request))
  const found = await stat(path).catch(because(`error getting stats for path ${path}`))
  if (!found.isDirectory()) throw new Error(`unable to list files as the file specified is not a directory: ${path}`)
  const entries = await readdir(path, {recursive: true, withFileTypes: true})
  const files = entries.filter(entry => !entry.isDirectory()).map(({parentPath, name}) => join(parentPath, name))
  // Dapr answers null for an empty folder
  return json(files.length === 0 ? null : files.toSorted())
}

async function remove(root: string, request: BindingRequest): Promise<undefined> {
  const path = await pathInside(root, nameIn(request))
  const removed = lstat(path).then(async found => (found.isDirectory() ? rmdir(path) : unlink(path)))
  await removed.catch(because(`error deleting file ${path}`))
}

/** Returns the bytes to store: decodes a JSON string, then base64, if the data are such. */
function contentOf(data: Buffer): Buffer {
  const text = unquoted(data.toString())
  const bytes = text === undefined ? data : Buffer.from(text)
  const candidate = bytes.toString('latin1').replace(/[\r\n]/g, '')
  return isBase64(candidate) ? Buffer.from(candidate, 'base64') : bytes
}

function unquoted(text: string): string | undefined {
  if (!text.startsWith('"')) return undefined
  const value = jsonIn(text)
  return typeof value === 'string' ? value : undefined
}

/** Maximum number of links in a path; Linux follows fewer. */
const MAX_LINKS = 255

/** Resolves a path as if `root` were the machine's root, so that `..` and links do not lead out of it (Go: filepath-securejoin). */
async function pathInside(root: string, name: string): Promise<string> {
  const steps = name.split('/')
  let path: readonly string[] = []
  let links = 0
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    if (step === '' || step === '.') continue
    if (step === '..') {
      path = path.slice(0, -1)
      continue
    }
    const target = await linkAt(join(root, ...path, step))
    if (target === undefined) {
      path = [...path, step]
      continue
    }
    if (++links > MAX_LINKS) throw new Error(`error getting absolute path for file ${name}: too many links`)
    if (isAbsolute(target)) path = []
    steps.unshift(...target.split('/'))
  }
  return join(root, ...path)
}

/** Returns the target of a link; undefined: it is not a link. */
async function linkAt(path: string): Promise<string | undefined> {
  if (path.includes('\0')) throw new Error('error getting absolute path: invalid argument')
  return readlink(path).catch((error: unknown) => {
    if (!['EINVAL', 'ENOENT', 'ENOTDIR'].includes(codeOf(error))) throw error
    return undefined
  })
}
