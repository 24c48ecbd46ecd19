import {componentType} from '../../../../src/dapr/components/block-types.ts'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Test} from 'tap'
import type {Admit} from '../../../../src/proxy/gateway/admission.ts'
import {ExternalEndpoints} from '../../../../src/proxy/gateway/external-endpoints.ts'
import type {AppResources} from '../../../../src/files/resources/app-resources.ts'
import {ResourceStore} from '../../../../src/files/resources/resource-store.ts'
import {ask, type Answer} from '../../dapr/sidecar/caller.ts'
import {openTestSidecar} from '../../dapr/sidecar/rig.ts'

/** An HTTPEndpoint as a resource. */
export const resource = (name: string, spec: object, more: object = {}): string =>
  JSON.stringify({apiVersion: 'dapr.io/v1alpha1', kind: 'HTTPEndpoint', metadata: {name}, spec, ...more})

export interface Scene {
  readonly port: number
  readonly resources: AppResources
  /** Reads the files again. */
  readonly refresh: () => Promise<void>
  readonly warnings: readonly string[]
  readonly folder: string
  readonly get: (target: string, lines?: string) => Promise<Answer | undefined>
}

const apps: Admit = ({callee}) => ({ok: false, status: 500, error: `couldn't find service: ${callee}`})

/** The sidecar of an app with these resources, which only calls external endpoints. */
export const openScene = async (
  t: Test,
  documents: readonly string[],
  env: Record<string, string> = {}
): Promise<Scene> => {
  const folder = mkdtempSync(join(tmpdir(), 'outside-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  writeFileSync(join(folder, 'r.yaml'), documents.join('\n---\n'))
  writeFileSync(
    join(folder, 'state.yaml'),
    'kind: Component\nmetadata: {name: redis}\nspec: {type: state.redis}\napiVersion: dapr.io/v1alpha1'
  )
  writeFileSync(join(folder, 'notes.txt'), 'HTTPEndpoint')
  const warnings: string[] = []
  const store = new ResourceStore({
    env,
    cwd: folder,
    reporter: {warn: (_, text) => warnings.push(text)},
    types: async () => componentType
  })
  const resources = await store.open({
    id: 'a',
    resources: {folders: [folder, '/nowhere'], configFile: '', defaultFolder: '/home/.dapr'}
  })
  const external = new ExternalEndpoints({resources, apps, env})
  t.teardown(() => external.close())
  const {port} = await openTestSidecar(t, {admit: external.admit, tokens: {api: '', app: 'app-secret'}})
  return {
    port,
    resources,
    refresh: async () => store.refresh(),
    warnings,
    folder,
    get: async (target, lines = '') => ask(t, port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`)
  }
}
