import t from 'tap'
import {imported, refusal} from '../read.ts'

t.test('a compose file means what it means to compose', async t => {
  const {template} = await imported(t, {
    'compose.yaml': [
      'services:',
      '  web:',
      '    image: x',
      '    environment: {A: 010, B: 1.10, C: , D: ~, E: True, F: yes, G: 2020-01-01, H: "1.0", I: 1_000, J: null}',
      '---',
      'services:',
      '  web: {command: [a,',
      '  b]}',
      '  db: {image: y, environment: [K, L=1]}',
      ''
    ].join('\n')
  })
  const [web, db] = template.apps
  t.strictSame(web?.['env'], {
    A: '8',
    B: '1.1',
    E: 'true',
    F: 'yes',
    G: '2020-01-01 00:00:00 +0000 UTC',
    H: '1.0',
    I: '1000'
  })
  const wordsOf = (app: typeof web): readonly string[] => (app?.['command'] ?? []) as readonly string[]
  const passed = (app: typeof web): readonly string[] =>
    wordsOf(app).filter((_, index, words) => words[index - 1] === '--env')
  t.strictSame(passed(web), ['A', 'B', 'E', 'F', 'G', 'H', 'I', 'C', 'D', 'J'], 'without a value: from the environment')
  t.strictSame(passed(db), ['L', 'K'])
  t.strictSame(wordsOf(web).slice(-2), ['a', 'b'], 'further documents count')
  const twice = await refusal(t, {'compose.yaml': 'services:\n  web: {image: x}\n  web: {image: y}\n'})
  t.match(twice, {
    message: /mapping key "web" already defined/,
    explanation: /^compose\.yaml:3:3\n.*\n +\^\nremove one/
  })
  const loop = await refusal(t, {'compose.yaml': 'services:\n  a: &a {image: x, labels: *a}\n'})
  t.match(loop, {message: "cannot import compose.yaml: anchor 'a' value contains itself"})
})

t.test('a signal that a template does not support is reported', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml':
      'services: {a: {image: httpd, stop_signal: SIGWINCH}, b: {image: x, stop_signal: RTMIN+3}, c: {image: x, stop_signal: 3}, d: {image: x, stop_signal: kill}}'
  })
  const signals = template.apps.map(({stop}) => (stop as {signal?: string} | undefined)?.signal)
  t.strictSame(signals, ['SIGWINCH', undefined, 'SIGQUIT', 'SIGKILL'])
  t.ok(notes.includes('stop_signal: RTMIN+3 is not carried over: it gets SIGTERM'))
})

t.test('variables of a container that docker reads itself are passed by their values', async t => {
  const environment = {DOCKER_HOST: 'tcp://elsewhere:2375', HOME: '/home/node', A: '1'}
  const {template} = await imported(t, {'compose.yaml': JSON.stringify({services: {ci: {image: 'x', environment}}})})
  t.strictSame(template.apps[0]?.['env'], {A: '1'})
  t.strictSame(
    template.apps[0]?.['command'],
    'docker run --rm --name shop-ci --env DOCKER_HOST=tcp://elsewhere:2375 --env HOME=/home/node --env A x'.split(' ')
  )
})

t.test('a variable of a container that a shell drops is passed by its value', async t => {
  const environment = {'discovery.type': 'single-node', 'node-name': 'a', PLAIN: '1'}
  const {template} = await imported(t, {
    'compose.yaml': JSON.stringify({services: {es: {image: 'x', environment}, own: {build: 'own', environment}}}),
    own: {Dockerfile: 'FROM x\n'}
  })
  for (const {env, command} of template.apps) {
    t.strictSame(env, {PLAIN: '1'})
    t.match((command as readonly string[]).join(' '), '--env discovery.type=single-node --env node-name=a --env PLAIN ')
  }
})

t.test('import marks that a container wanted a terminal: a shell without one ends at once', async t => {
  const {notes} = await imported(t, {'compose.yaml': 'services: {sh: {image: alpine, tty: true, stdin_open: true}}'})
  t.strictSame(notes, ['tty: true is not carried over', 'stdin_open: true is not carried over'])
})

t.test('a service waits for one whose network it shares, or to which it has a link', async t => {
  const {template} = await imported(t, {
    'compose.yaml':
      'services: {app: {image: x, network_mode: "service:vpn", depends_on: [vpn]}, web: {image: x, links: ["app:a"]}, vpn: {image: y, ports: ["80:80"]}}'
  })
  t.match(template.apps, [{dependsOn: {vpn: 'ready'}}, {dependsOn: {app: 'started'}}, {}])
})

t.test('a variable in the default of another one is one, too', async t => {
  const {template} = await imported(t, {
    'compose.yaml':
      'services: {a: {image: "x:${A:-$B}", hostname: "${A:-$$c}", user: "$A$${B}", platform: "${A:-${B:-$C}}"}}'
  })
  const words = (template.apps[0]?.['command'] ?? []) as readonly string[]
  const [user, host, platform] = ['${A}$${B}', '${A:-$c}', '${A:-${B:-${C}}}']
  t.strictSame(words.slice(5), ['--user', user, '--hostname', host, '--platform', platform, 'x:${A:-${B}}'])
})

t.test('variables of an image that begin with DOCKER_ are no part of a command', async t => {
  const environment = {DOCKER_INFLUXDB_INIT_PASSWORD: 'secret', DOCKER_TLS_CERTDIR: '', DOCKER_CONTEXT: 'a'}
  const {template} = await imported(t, {'compose.yaml': JSON.stringify({services: {db: {image: 'x', environment}}})})
  const [app] = template.apps
  t.notMatch(String(app?.['command']), 'secret')
  t.match(String(app?.['command']), /,--env,DOCKER_INFLUXDB_INIT_PASSWORD,.*,--env,DOCKER_CONTEXT=a,/)
  t.match(app?.['env'], {DOCKER_INFLUXDB_INIT_PASSWORD: 'secret'})
})
