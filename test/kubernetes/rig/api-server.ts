import {spawn, type ChildProcess} from 'node:child_process'
import {generateKeyPairSync} from 'node:crypto'
import {createWriteStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {freePort} from '../../rig/free-port.ts'
import {parseAllDocuments} from 'yaml'
import {build} from '../build.ts'
import {Kube} from './kube.ts'

const ADMIN = 'admin-token'
/** Does not belong to any group: gets the rights that a test gives. */
const USER = 'user-token'

/** Runs a program that ends with its stdin: also if the test is killed. */
const TIED = 'exec 3<&0; "$@" 3<&- & pid=$!; { cat <&3 > /dev/null; kill -9 $pid; } 2> /dev/null & wait $pid'

/** What brings Deployments and Jobs to life, and takes them away. */
const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'job-controller',
  'garbage-collector-controller',
  'namespace-controller'
]

/** A real API server with its database and controllers, without root, for one test file. */
export class ApiServer {
  readonly folder: string
  readonly url: string
  readonly kube: Kube
  /** Its own certificate; the stand-ins serve by it, too. */
  readonly certificate: {readonly cert: Buffer; readonly key: Buffer}
  readonly #children: readonly ChildProcess[]

  private constructor(folder: string, url: string, children: readonly ChildProcess[]) {
    this.folder = folder
    this.url = url
    this.kube = new Kube(url, ADMIN)
    this.#children = children
    this.certificate = {
      cert: readFileSync(join(folder, 'certificates', 'apiserver.crt')),
      key: readFileSync(join(folder, 'certificates', 'apiserver.key'))
    }
  }

  static async start({withDapr = true} = {}): Promise<ApiServer> {
    const {program, definitions} = build()
    const folder = mkdtempSync(join(tmpdir(), 'pillion-kubernetes-'))
    const [client, peer, port, managerPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
    const url = `https://127.0.0.1:${port}`
    const etcd = `http://127.0.0.1:${client}`
    const keys = join(folder, 'service-accounts.pem')
    const {privateKey} = generateKeyPairSync('rsa', {modulusLength: 2048})
    writeFileSync(keys, privateKey.export({type: 'pkcs8', format: 'pem'}))
    writeFileSync(join(folder, 'tokens.csv'), `${ADMIN},admin,admin,system:masters\n${USER},user,user\n`)
    mkdirSync(join(folder, 'etcd'), {mode: 0o700})
    const kubeconfig = writeKubeconfig(join(folder, 'admin.yaml'), {url, token: ADMIN})
    const run = (name: string, args: readonly string[]): ChildProcess => {
      const child = spawn('sh', ['-c', TIED, 'sh', program, name, ...args], {
        cwd: folder,
        stdio: ['pipe', 'pipe', 'pipe']
      })
      const log = createWriteStream(join(folder, `${name}.log`))
      child.stdout.pipe(log, {end: false})
      child.stderr.pipe(log, {end: false})
      return child
    }
    const children = [
      run('etcd', [join(folder, 'etcd'), etcd, `http://127.0.0.1:${peer}`]),
      run('kube-apiserver', [
        `--etcd-servers=${etcd}`,
        `--secure-port=${port}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        '--endpoint-reconciler-type=none',
        `--cert-dir=${join(folder, 'certificates')}`,
        `--token-auth-file=${join(folder, 'tokens.csv')}`,
        '--authorization-mode=RBAC',
        '--service-cluster-ip-range=10.0.0.0/24',
        '--service-account-issuer=https://pillion.test',
        `--service-account-signing-key-file=${keys}`,
        `--service-account-key-file=${keys}`,
        '--disable-admission-plugins=ServiceAccount'
      ])
    ]
    await untilReady(folder, url, children)
    // it gives up on a server that takes more than 20 s, as one does on a busy machine
    const manager = run('kube-controller-manager', [
      `--kubeconfig=${kubeconfig}`,
      `--controllers=${CONTROLLERS.join(',')}`,
      '--leader-elect=false',
      `--secure-port=${managerPort}`,
      `--cert-dir=${join(folder, 'manager-certificates')}`
    ])
    const server = new ApiServer(folder, url, [...children, manager])
    if (withDapr) await server.#defineResources(definitions)
    return server
  }

  /** A kubeconfig; `user` has no rights of its own. */
  kubeconfig(name: string, {user = false, context = 'kind-test', namespace = ''} = {}): string {
    const path = join(this.folder, `${name}.yaml`)
    return writeKubeconfig(path, {url: this.url, token: user ? USER : ADMIN, context, namespace})
  }

  /** Dapr's kinds, as its Helm chart installs them. */
  async #defineResources(folder: string): Promise<void> {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    for (const file of readdirSync(folder).filter(name => name.endsWith('.yaml')))
      for (const document of parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
        if (document.contents !== null) await this.kube.must('POST', path, document.toJS())
    const isKnown = async (): Promise<boolean> =>
      (await this.kube.ask<{kind: string}>('GET', '/apis/dapr.io/v1alpha1/components')).kind === 'ComponentList'
    while (!(await isKnown())) await sleep(50)
  }

  /** A namespace for one test; its name begins with `test`. */
  async namespace(): Promise<string> {
    const answer = await this.kube.must('POST', '/api/v1/namespaces', {metadata: {generateName: 'test-'}})
    return answer.metadata.name
  }

  async close(): Promise<void> {
    this.kube.close()
    await Promise.all(this.#children.map(end))
    rmSync(this.folder, {recursive: true, force: true})
  }
}

function writeKubeconfig(
  path: string,
  {
    url,
    token,
    context = 'kind-test',
    namespace = ''
  }: {url: string; token: string; context?: string; namespace?: string}
): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    clusters: [{name: 'test', cluster: {server: url, 'insecure-skip-tls-verify': true}}],
    users: [{name: 'user', user: {token}}],
    contexts: [{name: context, context: {cluster: 'test', user: 'user', ...(namespace !== '' && {namespace})}}]
  }
  writeFileSync(path, JSON.stringify(config))
  return path
}

/** There is no event for it; a child that ends says why in its log. */
async function untilReady(folder: string, url: string, children: readonly ChildProcess[]): Promise<void> {
  const kube = new Kube(url, ADMIN)
  for (;;) {
    const dead = children.find(({exitCode}) => exitCode !== null)
    if (dead !== undefined) throw new Error(`${dead.spawnargs[5]} ended with ${dead.exitCode}: see ${folder}`)
    try {
      const response = await kube.open('GET', '/readyz')
      response.resume()
      if (response.statusCode === 200) break
    } catch {
      // does not listen yet
    }
    await sleep(50)
  }
  kube.close()
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const {promise, resolve} = Promise.withResolvers<void>()
  child.once('exit', () => resolve())
  child.stdin?.end()
  await promise
}
