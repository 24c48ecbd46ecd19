import type {IncomingMessage} from 'node:http'
import {promisify} from 'node:util'
import {gunzip} from 'node:zlib'
import {messageOf} from '../model/errors.ts'
import type {Reply} from '../net/reply.ts'
import {readForm} from './form.ts'
import {failure, missing} from './replies.ts'
import {readTar, type TarEntry} from './tar.ts'

/** A folder with a service that somebody has sent. */
export interface Deployment {
  readonly name: string
  readonly version: string
  /** The port that the code has hard-wired. */
  readonly port: number
  readonly env: Readonly<Record<string, string>>
  readonly entries: readonly TarEntry[]
}

const NAME = /^(?!_)[a-z0-9_]+(?<!_)$/
const VERSION =
  /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/

const NAME_RULE =
  'Name can only contain lower case letters, numbers and underscores, but should not start or end with an underscore.'
const VERSION_RULE = 'Version must be a semantic version string.'

/** A project is a few files of text, and perhaps a model. */
const MAX_ARCHIVE = 1024 * 1024 * 1024
const MAX_UNPACKED = 2 * MAX_ARCHIVE

/** Reads a form with an archive, as Daeploy's command line sends it; what is wrong with it is the answer. */
export async function readDeployment(request: IncomingMessage): Promise<Deployment | Reply> {
  const form = await receive(request)
  if ('status' in form) return form
  const {texts, archive} = form
  const lacking = ['name', 'version'].filter(key => texts[key] === undefined)
  if (archive === undefined) lacking.push('file')
  if (lacking.length > 0 || archive === undefined)
    return failure(
      422,
      lacking.map(key => missing(null, 'body', key))
    )
  const {name = '', version = '', port = '8000'} = texts
  if (!NAME.test(name)) return failure(406, NAME_RULE)
  if (!VERSION.test(version)) return failure(406, VERSION_RULE)
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    return failure(406, 'Port must be a port number.')
  const env = environmentIn(texts['run_args'] ?? '')
  if (typeof env === 'string') return failure(406, env)
  const entries = await unpack(archive)
  return typeof entries === 'string' ? failure(422, entries) : {name, version, port: Number(port), env, entries}
}

interface Form {
  readonly texts: Readonly<Record<string, string | undefined>>
  readonly archive: Buffer | undefined
}

async function receive(request: IncomingMessage): Promise<Form | Reply> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > MAX_ARCHIVE) return failure(413, 'The archive is too large')
    pieces.push(piece)
  }
  try {
    const parts = readForm(request.headers['content-type'] ?? '', Buffer.concat(pieces))
    const texts = parts.filter(({isFile}) => !isFile).map(({name, bytes}) => [name, bytes.toString()] as const)
    const archive = parts.find(({name, isFile}) => isFile && name === 'file')?.bytes
    return {texts: Object.fromEntries(texts), archive}
  } catch (error) {
    return failure(422, `The form cannot be read: ${messageOf(error)}`)
  }
}

/** `environment` of the arguments for a container; the others mean nothing to a process. */
function environmentIn(runArgs: string): Readonly<Record<string, string>> | string {
  if (runArgs.trim() === '') return {}
  try {
    const {environment = {}} = JSON.parse(runArgs) as {environment?: unknown}
    if (Array.isArray(environment))
      return Object.fromEntries(
        environment.map(String).map(pair => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)])
      )
    if (typeof environment !== 'object' || environment === null) return {}
    return Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, String(value)]))
  } catch (error) {
    return `run_args is not JSON: ${messageOf(error)}`
  }
}

async function unpack(archive: Buffer): Promise<readonly TarEntry[] | string> {
  try {
    const isPacked = archive[0] === 0x1f && archive[1] === 0x8b
    return readTar(isPacked ? await promisify(gunzip)(archive, {maxOutputLength: MAX_UNPACKED}) : archive)
  } catch (error) {
    return `The archive cannot be unpacked: ${messageOf(error)}`
  }
}
