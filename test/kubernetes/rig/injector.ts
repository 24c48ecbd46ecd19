import {createServer, type Server} from 'node:https'
import type {AddressInfo} from 'node:net'
import type {ApiServer} from './api-server.ts'
import type {Live} from './kube.ts'

const HOOK = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'

interface Review {
  readonly request: {readonly uid: string; readonly object: Live}
}

/** Adds a container `daprd` to pods, as Dapr's injector does, which is asked in the same way. */
export class Injector {
  readonly #api: ApiServer
  #server: Server | undefined
  /** As Dapr from 1.18: as an init container that goes on. */
  isNative = false

  constructor(api: ApiServer) {
    this.#api = api
  }

  async start(): Promise<void> {
    this.#server = createServer(this.#api.certificate, (request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => {
        const {request: asked} = JSON.parse(Buffer.concat(pieces).toString()) as Review
        const patch = this.#patch(asked.object)
        const answer = {
          uid: asked.uid,
          allowed: true,
          patchType: 'JSONPatch',
          patch: Buffer.from(JSON.stringify(patch)).toString('base64')
        }
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer}))
      })
    })
    await new Promise<void>(resolve => this.#server?.listen(0, '127.0.0.1', resolve))
    const {port} = this.#server.address() as AddressInfo
    await this.#api.kube.must('POST', HOOK, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: {name: 'dapr-sidecar-injector'},
      webhooks: [
        {
          name: 'sidecar-injector.dapr.io',
          clientConfig: {
            url: `https://127.0.0.1:${port}/mutate`,
            caBundle: this.#api.certificate.cert.toString('base64')
          },
          rules: [{apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE']}],
          failurePolicy: 'Ignore',
          sideEffects: 'None',
          admissionReviewVersions: ['v1']
        }
      ]
    })
  }

  /** As if its pods were down: the API server asks, nobody answers, and the pod is made as it is. */
  close(): void {
    this.#server?.closeAllConnections()
    this.#server?.close()
  }

  /** JSON patch (RFC 6902). */
  #patch({metadata: {annotations = {}, labels = {}}, spec}: Live): readonly unknown[] {
    if (annotations['dapr.io/enabled'] !== 'true') return []
    const id = annotations['dapr.io/app-id'] ?? ''
    const args = ['--app-id', id, '--app-port', annotations['dapr.io/app-port'] ?? '', '--mode', 'kubernetes']
    const container = {name: 'daprd', image: 'daprio/daprd:1.13.5', args}
    const {initContainers: inits = []} = spec
    return [
      add('/metadata/labels', {...labels, 'dapr.io/app-id': id, 'dapr.io/sidecar-injected': 'true'}),
      this.isNative
        ? add('/spec/initContainers', [...inits, {...container, restartPolicy: 'Always'}])
        : add('/spec/containers/-', container)
    ]
  }
}

const add = (path: string, value: unknown): unknown => ({op: 'add', path, value})
