import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {useEffect} from 'preact/hooks'
import {api} from '../state/api.ts'
import {keyOf} from '../state/run.ts'

/** Where apps show the description of their API: by name and process. */
const docs = signal<ReadonlyMap<string, string>>(new Map())
/** Those that were asked for. */
const asked = new Set<string>()

/** Apps are asked one after the other. */
let queue: Promise<unknown> = Promise.resolve()

/** Asks for the page of an app, once for each of its processes. */
function useDocs(app: Api.App): string {
  const life = `${keyOf(app)} ${app.pid} ${app.startedAt ?? ''}`
  const isThere = app.isReady && app.state === 'running' && app.appPort > 0 && /^https?$/.test(app.appProtocol)
  useEffect(() => {
    if (!isThere || asked.has(life)) return
    asked.add(life)
    const learn = async (): Promise<void> => {
      const {path} = await api.ask('GET /apps/{id}/docs', {at: {id: keyOf(app)}})
      if (path !== '') docs.value = new Map([...docs.value, [life, path]])
    }
    queue = queue.then(learn).catch(() => asked.delete(life)) // the next row that is drawn asks again
  }, [life, isThere])
  return isThere ? (docs.value.get(life) ?? '') : ''
}

interface LinkProps {
  readonly url: string
  readonly text: string
  readonly title: string
}

const Outside = ({url, text, title}: LinkProps) => (
  <a href={url} target="_blank" rel="noreferrer" title={title} tabIndex={-1}>
    {text}
  </a>
)

/** Where a browser, or a client of gRPC, finds the app, the description of its API, and its sidecar. */
export function Addresses({app}: {readonly app: Api.App}) {
  const {appPort, appProtocol, httpPort, grpcPort} = app
  const page = useDocs(app)
  const isOff = !['running', 'debugging'].includes(app.state)
  const isWeb = /^https?$/.test(appProtocol)
  const root = app.url || `${appProtocol}://localhost:${appPort}`
  const sidecar = `http://localhost:${httpPort}/v1.0/metadata`
  return (
    <span class="addresses">
      {appPort > 0 && isWeb && !isOff && (
        <Outside
          url={`${root}/`}
          text={app.url === '' ? `:${appPort}` : app.url.replace(/^.*:/, ':')}
          title={`${root}/`}
        />
      )}
      {appPort > 0 && (!isWeb || isOff) && (
        <span class={isOff ? 'soft' : ''} title={`${appProtocol}, localhost:${appPort}`}>
          {`${isWeb ? '' : `${appProtocol} `}:${appPort}`}
        </span>
      )}
      {page !== '' && <Outside url={root + page} text="docs" title={root + page} />}
      {httpPort > 0 && <Outside url={sidecar} text="sidecar" title={`${sidecar} (gRPC: port ${grpcPort})`} />}
    </span>
  )
}
