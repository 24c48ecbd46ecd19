/** The ways to a cluster that do not lead there. `list -k` asks one question. */
import {createServer} from 'node:net'
import type {AddressInfo} from 'node:net'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {FakeApiServer} from '../rig/fake-api-server.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const TLS = join(import.meta.dirname, '../fixtures/tls')

const list = async (rig: Rig, kubeconfig: string, args: readonly string[] = []) =>
  rig.run(['list', '-k', ...args], {
    env: {
      KUBECONFIG: kubeconfig
        .split(':')
        .map(file => join(rig.folder, file))
        .join(':')
    }
  })

t.test('a kubeconfig that leads nowhere is told with its name, and what to do', async t => {
  const rig = await openRig(t)
  const cluster = {name: 'c', cluster: {server: 'https://127.0.0.1:1'}}
  const user = {name: 'u', user: {token: 'x'}}
  const context = {name: 'x', context: {cluster: 'c', user: 'u'}}
  const base = {clusters: [cluster], users: [user], contexts: [context]}
  await rig.write({
    empty: '',
    odd: 'clusters: [',
    list: '[1, 2]',
    'no-current': JSON.stringify(base),
    'no-cluster': JSON.stringify({...base, 'current-context': 'x', clusters: []}),
    'no-user': JSON.stringify({...base, 'current-context': 'x', users: []}),
    'no-server': JSON.stringify({...base, clusters: [{name: 'c', cluster: {}}]}),
    'bad-server': JSON.stringify({
      ...base,
      'current-context': 'x',
      clusters: [{name: 'c', cluster: {server: 'nonsense'}}]
    }),
    'no-certificate': JSON.stringify({
      ...base,
      'current-context': 'x',
      users: [{name: 'u', user: {'client-certificate': 'none.crt', 'client-key': 'none.key'}}]
    })
  })
  const none = await rig.run(['list', '-k'])
  t.match(none, {
    code: 1,
    stdout: '',
    stderr: `❌  no Kubernetes cluster is configured: there is no context in ${rig.home}/.kube/config\nCreate a cluster`
  })
  for (const [file, message] of [
    ['missing', /no Kubernetes cluster is configured: there is no context in \S+missing\n/],
    ['empty', /no Kubernetes cluster is configured: there is no context in \S+empty\n/],
    ['list', /no Kubernetes cluster is configured: there is no context in \S+list\n/],
    ['odd', /cannot read the kubeconfig \S+odd: /],
    [
      'no-current',
      /no Kubernetes context is selected in \S+no-current\nSelect one with --context NAME, or with kubectl config use-context NAME\. Known: x\n/
    ],
    ['no-cluster', /the context "x" names a cluster "c", which is not in \S+no-cluster\n/],
    ['no-user', /the context "x" names a user "u", which is not in \S+no-user\n/],
    ['no-server', /cannot read the kubeconfig \S+no-server: clusters\[0\]\.cluster\.server is missing\n/],
    ['bad-server', /the server of the cluster "c" is not a URL: nonsense\n/],
    ['no-certificate', /cannot use the credentials of the Kubernetes context "x": cannot read \S+none\.crt: ENOENT\n/]
  ] as const) {
    const {code, stdout, stderr} = await list(rig, file)
    t.same({code, stdout}, {code: 1, stdout: ''}, file)
    t.match(stderr, message, file)
  }
  const other = await list(rig, 'no-current', ['--context', 'y'])
  t.match(other.stderr, /there is no Kubernetes context "y" in \S+no-current\nKnown: x\n/)
})

t.test('of several files the first that knows a name wins, and missing ones are skipped', async t => {
  const rig = await openRig(t)
  const server = new FakeApiServer()
  await server.open()
  t.teardown(async () => server.close())
  await rig.write({
    first: JSON.stringify({'current-context': 'kind-fake', users: [{name: 'me', user: {token: 'first'}}]}),
    second: server.kubeconfig({token: 'second'})
  })
  const tokens = new Set<string>()
  server.answer = ({token}) => {
    tokens.add(token)
    return undefined
  }
  t.match(await list(rig, 'first:none:second'), {code: 0, stdout: 'No Dapr instances found.\n', stderr: ''})
  t.same([...tokens], ['first'])
})

t.test('a context without a user asks without credentials', async t => {
  const rig = await openRig(t)
  const server = new FakeApiServer()
  await server.open()
  t.teardown(async () => server.close())
  const {users: _, ...rest} = JSON.parse(server.kubeconfig()) as {readonly users: unknown}
  const contexts = [{name: 'kind-fake', context: {cluster: 'fake'}}]
  await rig.write({config: JSON.stringify({...rest, contexts})})
  server.answer = ({token}) => (token === '' ? undefined : {code: 401})
  t.match(await list(rig, 'config'), {code: 0, stdout: 'No Dapr instances found.\n', stderr: ''})
})

t.test('a program that gives credentials: its token, and how it fails', async t => {
  const rig = await openRig(t)
  const server = new FakeApiServer()
  await server.open()
  t.teardown(async () => server.close())
  const api = 'client.authentication.k8s.io/v1'
  const program = (command: string, ...args: readonly string[]) =>
    server.kubeconfig({exec: {apiVersion: api, command, args, interactiveMode: 'Never'}})
  const credential = JSON.stringify({apiVersion: api, kind: 'ExecCredential', status: {token: 'from-program'}})
  await rig.write({
    good: program('echo', credential),
    missing: program('no-such-program'),
    fails: program('sh', '-c', 'echo log in first >&2; exit 3'),
    nonsense: program('echo', 'hello'),
    odd: program('echo', '{}')
  })
  const tokens = new Set<string>()
  server.answer = ({token}) => {
    tokens.add(token)
    return undefined
  }
  t.match(await list(rig, 'good'), {code: 0})
  t.same([...tokens], ['from-program'])
  const start = 'which gives the credentials of the Kubernetes context "kind-fake", failed: '
  t.match((await list(rig, 'missing')).stderr, `❌  "no-such-program", ${start}it is not in PATH\nInstall it`)
  t.match((await list(rig, 'fails')).stderr, `❌  "sh", ${start}log in first\nYou may have to log in again.\n`)
  t.match((await list(rig, 'nonsense')).stderr, `❌  "echo", ${start}it printed no ExecCredential\n`)
  t.match((await list(rig, 'odd')).stderr, `❌  "echo", ${start}it printed no ExecCredential\n`)
})

t.test('a server that is not there, is silent, speaks something else, or has another certificate', async t => {
  const rig = await openRig(t)
  const closed = new FakeApiServer()
  await closed.open()
  await closed.close()
  const silent = createServer()
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const {port} = silent.address() as AddressInfo
  const web = new FakeApiServer()
  await web.open()
  web.answer = () => ({code: 200, body: '<html>'})
  const half = new FakeApiServer()
  await half.open()
  half.answer = () => 'half'
  const secure = new FakeApiServer({
    cert: readFileSync(join(TLS, 'server.pem')),
    key: readFileSync(join(TLS, 'server.key'))
  })
  await secure.open()
  t.teardown(async () => Promise.all([web.close(), half.close(), secure.close()]))
  await rig.write({
    closed: closed.kubeconfig(),
    silent: closed.kubeconfig({token: 'x'}, {server: `http://127.0.0.1:${port}`}),
    half: half.kubeconfig(),
    web: web.kubeconfig(),
    secure: secure.kubeconfig(),
    trusted: secure.kubeconfig({token: 'x'}, {'insecure-skip-tls-verify': true})
  })
  const start =
    /❌ {2}cannot reach the API server of the Kubernetes context "kind-fake" at https?:\/\/127\.0\.0\.1:\d+: /
  const told = async (file: string, rest: string): Promise<void> => {
    const {code, stderr} = await list(rig, file)
    t.equal(code, 1, file)
    t.match(stderr, new RegExp(start.source + rest), file)
  }
  await told('closed', String.raw`connect ECONNREFUSED [\d.:]+\nIs the cluster running\?`)
  for (const server of ['silent', 'half'])
    await told(server, String.raw`no answer within 5 s\nIs the cluster running\?`)
  await told(
    'secure',
    String.raw`[^\n]*certificate[^\n]*\nThe certificate of the server and the authority in the kubeconfig do not belong together`
  )
  t.match((await list(rig, 'web')).stderr, /is no Kubernetes API server: it answers GET \/api\/v1\/pods with no JSON\n/)
  t.match(await list(rig, 'trusted'), {code: 0})
})

t.test('answers that refuse: each with its reason; 429 and 503 are asked again', async t => {
  const rig = await openRig(t)
  const server = new FakeApiServer()
  await server.open()
  t.teardown(async () => server.close())
  await rig.write({config: server.kubeconfig()})
  for (const [code, message] of [
    [401, /the API server of the Kubernetes context "kind-fake" does not accept your credentials\nLog in again/],
    [403, /you may not read the pods in the Kubernetes context "kind-fake"\nfake 403\n/],
    [500, /could not read the pods \(status 500\)\nfake 500\n/]
  ] as const) {
    server.answer = () => ({code})
    const result = await list(rig, 'config')
    t.equal(result.code, 1)
    t.match(result.stderr, message)
  }
  for (const code of [429, 503]) {
    let count = 0
    server.answer = () => (++count > 2 ? undefined : {code, headers: {'retry-after': '0'}})
    t.match(await list(rig, 'config'), {code: 0, stderr: ''}, `${code} twice, then an answer`)
    t.equal(count, 3)
  }
})

t.test('a server whose pods are none is told so, without a stack', async t => {
  const server = new FakeApiServer()
  await server.open()
  t.teardown(async () => server.close())
  const rig = await openRig(t)
  await rig.write({
    config: JSON.stringify({
      clusters: [{name: 'c', cluster: {server: server.url}}],
      users: [{name: 'u', user: {token: 'x'}}],
      contexts: [{name: 'x', context: {cluster: 'c', user: 'u'}}],
      'current-context': 'x'
    })
  })
  for (const body of [
    null,
    [],
    {items: null},
    {metadata: {}, items: [null]},
    {metadata: {}, items: [{metadata: {}}]}
  ]) {
    server.answer = ({path}) => (path.endsWith('/pods') ? {code: 200, body} : undefined)
    const {code, stderr} = await list(rig, 'config')
    t.equal(code, 1)
    t.match(
      stderr,
      /is no Kubernetes API server: it answers GET \S+ (?:with no list of pods|without items)\n$/,
      JSON.stringify(body)
    )
  }
})
