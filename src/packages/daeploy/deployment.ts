import type {IncomingMessage} from 'node:http'
import {createWriteStream} from 'node:fs'
import type {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {messageOf} from '../../model/errors.ts'
import {isSemanticVersion} from '../../model/version.ts'
import {sendContinue} from '../../proxy/net/http1/collect-request.ts'
import type {Reply} from '../../proxy/net/reply.ts'
import {failure, missing} from './replies.ts'

/** A service that a client has uploaded. */
export interface Deployment {
  readonly name: string
  readonly version: string
  /** Port that is hard-coded in the service. */
  readonly port: number
  readonly env: Readonly<Record<string, string>>
  /** Path of the uploaded file: a tar archive, with or without gzip. */
  readonly archive: string
}

const NAME = /^(?!_)[a-z0-9_]+(?<!_)$/
const NAME_RULE =
  'Name can only contain lower case letters, numbers and underscores, but should not start or end with an underscore.'
const VERSION_RULE = 'Version must be a semantic version string.'
/** Maximum length of name and version together, of which a folder's name consists (at most 255 bytes). */
const MAX_NAMED = 200

/** Limits of a form: enough for a project with a few text files and a model. */
const FORM_LIMITS = {fileSize: 2 ** 30, fieldSize: 2 ** 20, fields: 100, parts: 100}

/**
 * Reads a form with an archive, as Daeploy's command line sends it. Returns the error response for an invalid form. `archive`: path to which the
 * archive is written. The caller removes the file.
 */
export async function readDeployment(request: IncomingMessage, archive: string): Promise<Deployment | Reply> {
  const form = await receive(request, archive)
  if ('status' in form) return form
  const {hasArchive} = form
  const texts: Readonly<Record<string, string | undefined>> = Object.fromEntries(form.texts)
  const lacking = ['name', 'version'].filter(key => texts[key] === undefined)
  if (!hasArchive) lacking.push('file')
  if (lacking.length > 0)
    return failure(
      422,
      lacking.map(key => missing(null, 'body', key))
    )
  const {name = '', version = '', port = '8000'} = texts
  if (!NAME.test(name)) return failure(406, NAME_RULE)
  if (!isSemanticVersion(version)) return failure(406, VERSION_RULE)
  if (name.length + version.length > MAX_NAMED) return failure(406, 'Name and version are too long.')
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    return failure(406, 'Port must be a port number.')
  const env = environmentIn(texts['run_args'] ?? '')
  if (typeof env === 'string') return failure(406, env)
  return {name, version, port: Number(port), env, archive}
}

interface Form {
  readonly texts: ReadonlyMap<string, string>
  readonly hasArchive: boolean
}

/** Reads a form while it arrives, and writes its file to `place`. */
async function receive(request: IncomingMessage, place: string): Promise<Form | Reply> {
  const contentType = request.headers['content-type'] ?? ''
  if (!contentType.startsWith('multipart/form-data')) return unreadable('it is not multipart/form-data')
  const {
    default: {Busboy}
  } = await import('@fastify/busboy')
  const texts = new Map<string, string>()
  const archive: {readonly file: Readable; readonly written: Promise<void>}[] = []
  try {
    const form = new Busboy({headers: {'content-type': contentType}, limits: FORM_LIMITS})
    return await new Promise<Form | Reply>((resolve, reject) => {
      form.on('field', (name, value) => texts.set(name, value))
      form.on('file', (name, file) => {
        file.on('error', reject) // the upload may end early while nothing reads the file
        if (name !== 'file' || archive.length > 0) {
          file.resume()
          return
        }
        file.on('limit', () => resolve(failure(413, 'The archive is too large')))
        const written = pipeline(file, createWriteStream(place, {flags: 'wx', mode: 0o600}))
        written.catch(reject)
        archive.push({file, written})
      })
      form.on('finish', () => {
        Promise.all(archive.map(async ({written}) => written)).then(
          () => resolve({texts, hasArchive: archive.length > 0}),
          reject
        )
      })
      form.on('error', reject)
      sendContinue(request)
      request.on('error', reject).pipe(form)
    })
  } catch (error) {
    return unreadable(messageOf(error))
  } finally {
    request.unpipe()
    // destroys with an error: without one, `pipeline` waits forever for the end of a complete file that was not read
    for (const {file} of archive) file.destroy(new Error('the form is over'))
    await Promise.allSettled(archive.map(async ({written}) => written))
  }
}

const unreadable = (why: string): Reply => failure(422, `The form cannot be parsed: ${why}`)

/** Returns `environment` of the arguments for a container, or an error. The other arguments do not apply to a process. */
function environmentIn(runArgs: string): Readonly<Record<string, string>> | string {
  if (runArgs.trim() === '') return {}
  try {
    const {environment = {}} = (JSON.parse(runArgs) ?? {}) as {environment?: unknown}
    if (Array.isArray(environment)) {
      const pairs = environment.map(String).filter(pair => pair.includes('='))
      return Object.fromEntries(pairs.map(pair => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]))
    }
    if (typeof environment !== 'object' || environment === null) return {}
    const given = Object.entries(environment).filter(([, value]) => value !== null) // Docker ignores null
    return Object.fromEntries(given.map(([key, value]) => [key, String(value)]))
  } catch (error) {
    return `run_args is not JSON: ${messageOf(error)}`
  }
}
