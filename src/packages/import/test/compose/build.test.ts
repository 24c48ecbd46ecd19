import t from 'tap'
import {imported} from '../read.ts'

t.test('what a service extends is read once: a literal dollar is one', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `
services:
  m: {image: busybox, environment: {TOKEN: "a$$b", OTHER: "$$$$x"}, command: echo $$HOME}
  e: {extends: {service: m}, image: busybox}
  f: {extends: e}
`
  })
  const [m, e, f] = template.apps
  t.match(m, {env: {TOKEN: 'a$b', OTHER: '$$x'}})
  for (const each of [e, f]) {
    t.same(each?.['env'], m?.['env'])
    t.match(String(each?.['command']), /,echo,\$HOME$/)
  }
})

t.test('an image is built with its target and its arguments; what else build says is told', async t => {
  const args = Array.from({length: 7}, (_, n) => `A${n}: "${n}"`).join(', ')
  const {template, notes} = await imported(t, {
    'compose.yaml': `
services:
  api: {build: {context: ./api, target: dev, args: {X: "1", TOKEN: }, secrets: [npm], ssh: [default]}}
  listed: {build: {context: ./api, args: [X=1, TOKEN]}}
  many: {build: {context: ./api, args: {${args}}}}
`,
    api: {Dockerfile: 'FROM scratch'}
  })
  const [api, listed, many] = template.apps.map(app => app['command'] as string[])
  t.same(api?.slice(0, 11), [
    'sh',
    '-c',
    'docker build --quiet --tag "$1" --file "$2" "$4" "$5" "$6" "$3" && shift 6 && exec "$@"',
    ...'build shop-api ./api/Dockerfile ./api --target=dev --build-arg=X=1 --build-arg=TOKEN docker'.split(' ')
  ])
  t.same(listed?.slice(7, 9), ['--build-arg=X=1', '--build-arg=TOKEN'])
  t.equal(many?.[13], 'docker')
  t.ok(notes.includes('build.secrets: ["npm"] is not carried over'))
  t.ok(notes.includes('build.ssh: ["default"] is not carried over'))
  t.ok(notes.includes('build: --build-arg=A6=6 is not carried over'))
})

t.test('a context that is a repository is that of docker build', async t => {
  const {template} = await imported(t, {
    'compose.yaml':
      'services: {a: {build: "https://github.com/x/y.git#main"}, b: {build: {context: "git@github.com:x/y.git", dockerfile: /web.Dockerfile}}}'
  })
  const [a, b] = template.apps.map(({command}) => String(command))
  t.match(a, ',build,shop-a,Dockerfile,https://github.com/x/y.git#main,docker,run,')
  t.match(b, ',build,shop-b,/web.Dockerfile,git@github.com:x/y.git,docker,run,')
})

t.test('the ENTRYPOINT of an image comes before the command of its service', async t => {
  const start = async (lines: string, service: string): Promise<readonly [unknown, string]> => {
    const {template, notes} = await imported(t, {
      'compose.yaml': `services: {web: {build: ., ${service}}}`,
      Dockerfile: `FROM ruby\n${lines}\n`,
      Gemfile: ''
    })
    return [template.apps[0]?.['command'], notes.find(note => note.includes('ENTRYPOINT')) ?? '']
  }
  const [bundle, wait] = ['ENTRYPOINT ["bundle", "exec"]', 'ENTRYPOINT ["/wait.sh"]\nCMD ["puma"]']
  t.strictSame(await start(bundle, 'command: rails s'), [['bundle', 'exec', 'rails', 's'], ''])
  t.strictSame(await start(bundle, 'entrypoint: [rails], command: [s]'), [['rails', 's'], ''])
  const note = 'the ENTRYPOINT of its image, /wait.sh, is not run'
  t.strictSame(await start(wait, 'command: rails s'), [['rails', 's'], note])
  t.strictSame(await start(wait, 'ports: []'), [['puma'], note])
  // one for a shell takes no words
  const puma = ['sh', '-c', 'exec puma -p $PORT']
  t.strictSame(await start('ENTRYPOINT puma -p 80\nCMD ["-v"]', 'command: rails s'), [puma, ''])
})
