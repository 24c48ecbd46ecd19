import type {Callee} from '../../proxy/gateway/local-apps.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import type {PostToApp} from './blocks/block-context.ts'

/** Posts JSON to an app; gives why it was not taken. */
export const postTo =
  (app: Callee, context: () => CallContext, warn: (text: string) => void): PostToApp =>
  async (path, body, attempt) => {
    const {requestApp} = await import('../../proxy/gateway/app-request.ts')
    const response = await requestApp({
      app,
      context: context(),
      method: 'POST',
      path,
      lines: 'Content-Type: application/json\r\n',
      body: Buffer.from(body),
      attempt,
      warn
    })
    if (response.kind !== 'response') return response.why
    return response.status >= 200 && response.status < 300 ? '' : `status code ${response.status}`
  }
