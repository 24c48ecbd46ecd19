import type {IncomingMessage} from 'node:http'
import type * as Api from '../../model/api.generated.ts'
import {codeOf} from '../../model/errors.ts'

/** Paths at which frameworks serve the description of an API: FastAPI, NestJS and others; ASP.NET; Spring; the document itself. */
const PAGES = ['/docs', '/swagger/index.html', '/swagger-ui/index.html', '/openapi.json']
/** Words of an API's page or document. A program that answers each path with the same page has none of them. */
const SIGNS = /swagger|openapi|redoc|rapidoc|scalar/i
const MAX_BYTES = 64 * 1024
const MAX_MS = 2000

/**
 * The page that was found for the latest process of each app. Each process is asked once, since many apps log every request.
 * A process that did not answer, for example while it warms up, is asked again.
 */
const known = new Map<string, {readonly life: string; readonly page: Promise<string>}>()

/** Finds the URL at which an app shows the description of its HTTP API. Never rejects. */
export async function docsPageOf(app: Api.App | undefined): Promise<Api.AppDocs> {
  if (app === undefined || app.state !== 'running' || !app.isReady || !/^https?$/.test(app.appProtocol)) return NONE
  if (app.appPort === 0 || app.pid === 0) return NONE
  const [name, life] = [`${app.id}@${app.version}.${app.instance}`, `${app.pid} ${app.startedAt ?? ''}`]
  const before = known.get(name)
  const found = before?.life === life ? before : {life, page: firstPage(app)}
  known.set(name, found)
  try {
    return {path: await found.page}
  } catch {
    if (known.get(name) === found) known.delete(name)
    return NONE
  }
}

const NONE: Api.AppDocs = {path: ''}

/** Returns the path of the page; '': none. Rejects if no page was found and a request failed. */
async function firstPage(app: Api.App): Promise<string> {
  const failures: unknown[] = []
  for (const path of PAGES)
    try {
      if (await isDescription(app, path)) return path
    } catch (error) {
      if (!codeOf(error).startsWith('HPE_')) failures.push(error) // HPE_…: the port has answered in another protocol
    }
  if (failures.length > 0) throw failures[0]
  return ''
}

/** Whether an app answers a path with the description of an API. Rejects without an answer in time. */
async function isDescription({appPort, appProtocol}: Api.App, path: string): Promise<boolean> {
  const {request} = process.getBuiltinModule(appProtocol === 'https' ? 'node:https' : 'node:http')
  const signal = AbortSignal.timeout(MAX_MS)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {host: 'localhost', port: appPort, path, signal, rejectUnauthorized: false}
    const headers = {accept: 'text/html, application/json', 'user-agent': 'Pillion'}
    request({...options, headers}, resolve)
      .on('error', reject)
      .end()
  })
  let text = ''
  if (response.statusCode === 200)
    for await (const piece of response.setEncoding('latin1')) if ((text += piece as string).length > MAX_BYTES) break
  response.destroy()
  return SIGNS.test(text.replaceAll(path, '')) // some apps repeat the request in their answer
}
