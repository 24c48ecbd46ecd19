import type {Test} from 'tap'
import type {Program as Running} from '../../rig/program.ts'
import {openRig, type Rig, type TemplateApp} from '../../rig/rig.ts'
import {missing} from '../build.ts'
import {ApiServer} from './api-server.ts'
import {Injector} from './injector.ts'
import type {Live} from './kube.ts'
import {Kubelet} from './kubelet.ts'

/** Why tests with an API server are skipped here; false if they are not. */
export const skip: string | false = missing() === '' ? false : missing()

/** A cluster for all tests of a file: a real API server, with stand-ins for a node and for Dapr's injector. */
export class Cluster {
  readonly api: ApiServer
  readonly kubelet: Kubelet
  readonly injector: Injector

  private constructor(api: ApiServer) {
    this.api = api
    this.kubelet = new Kubelet(api)
    this.injector = new Injector(api)
  }

  /** Started once; it ends with the test. */
  static async open(t: Test, {withDapr = true} = {}): Promise<Cluster> {
    const cluster = new Cluster(await ApiServer.start({withDapr}))
    t.teardown(async () => cluster.close())
    await cluster.kubelet.start()
    if (withDapr) await cluster.injector.start()
    return cluster
  }

  async close(): Promise<void> {
    this.kubelet.close()
    this.injector.close()
    await this.api.close()
  }

  /** A namespace and a folder for one test. */
  async shop(t: Test, {user = false, context = 'kind-test'} = {}): Promise<Shop> {
    const rig = await openRig(t)
    const namespace = await this.api.namespace()
    const kubeconfig = this.api.kubeconfig(namespace, {user, context, namespace})
    return new Shop(this, rig, {namespace, kubeconfig})
  }
}

/** A template in a namespace of its own. */
export class Shop {
  readonly cluster: Cluster
  readonly rig: Rig
  readonly namespace: string
  readonly env: Readonly<Record<string, string>>

  constructor(cluster: Cluster, rig: Rig, {namespace, kubeconfig}: {namespace: string; kubeconfig: string}) {
    this.cluster = cluster
    this.rig = rig
    this.namespace = namespace
    this.env = {KUBECONFIG: kubeconfig}
  }

  /** Writes the template; an app without image gets one of its name. */
  async template(apps: readonly TemplateApp[], common = {}, more = {}): Promise<void> {
    const whole = apps.map(app => ({
      command: undefined,
      containerImage: `test/${app.appID}:1`,
      containerImagePullPolicy: 'IfNotPresent',
      ...app
    }))
    await this.rig.template(whole, common, {name: 'shop', ...more})
  }

  /** `run -k -f .` */
  run(...args: readonly string[]): Running {
    return this.rig.pillion(['run', '-k', '-f', '.', ...args], {env: this.env})
  }

  /** Any command, to its end. */
  async pillion(...args: readonly string[]) {
    return this.rig.run(args, {env: this.env})
  }

  /** All objects of a kind in the namespace: `apps/v1/deployments`, `v1/services`. */
  async all(kind: string): Promise<readonly Live[]> {
    const {items = []} = await this.cluster.api.kube.must('GET', this.path(kind))
    return items
  }

  /** The path of a kind, or of one object of it. */
  path(kind: string, name = ''): string {
    const at = kind.lastIndexOf('/')
    const root = kind.startsWith('v1/') ? '/api/v1' : `/apis/${kind.slice(0, at)}`
    return `${root}/namespaces/${this.namespace}/${kind.slice(at + 1)}${name === '' ? '' : `/${name}`}`
  }

  async names(kind: string): Promise<readonly string[]> {
    return (await this.all(kind)).map(({metadata}) => metadata.name).toSorted()
  }

  /** What there is of all kinds that a template makes. */
  async left(): Promise<readonly string[]> {
    const kinds = [
      ...'apps/v1/deployments apps/v1/replicasets batch/v1/jobs v1/services v1/secrets v1/pods'.split(' '),
      'dapr.io/v1alpha1/components'
    ]
    const all = await Promise.all(kinds.map(async kind => (await this.names(kind)).map(name => `${kind}/${name}`)))
    return all.flat()
  }
}
