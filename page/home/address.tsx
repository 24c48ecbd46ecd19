import type * as Api from '../../src/model/api.generated.ts'

/** Returns the URL of an app for browsers. */
export const rootOf = ({nameUrl, url, appProtocol, appPort}: Api.App): string =>
  nameUrl ?? (url || `${appProtocol}://localhost:${appPort}`)

/** Returns whether an app speaks HTTP, so that a browser can open it; gRPC does not count. */
export const isWeb = ({appProtocol}: Api.App): boolean => /^https?$/.test(appProtocol)

/** Shows the port of an app, as a link if a browser can open it now. */
export function Address({app}: {readonly app: Api.App}) {
  const {appPort, appProtocol, url, state} = app
  if (appPort === 0) return null
  const isOff = !['running', 'debugging'].includes(state) && !(state === 'asleep' && url !== '')
  const root = rootOf(app)
  const text = url === '' ? `:${appPort}` : url.replace(/^.*:/, ':')
  if (isWeb(app) && !isOff)
    return (
      <a href={`${root}/`} target="_blank" rel="noreferrer" title={`${root}/`} tabIndex={-1}>
        {text}
      </a>
    )
  return (
    <span class={isOff ? 'soft' : ''} title={`${appProtocol}, localhost:${appPort}`}>
      {`${isWeb(app) ? '' : `${appProtocol} `}:${appPort}`}
    </span>
  )
}
