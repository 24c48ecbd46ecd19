import t from 'tap'
import {imported} from './read.ts'

t.test('variables of a shell’s line that nobody sets', async t => {
  const {notes} = await imported(t, {
    Procfile: [
      'a: ./run $SHOP_A ${SHOP_B} "$SHOP_C"',
      `b: ./run '$SHOP_A' $PORT $HOME \${SHOP_D:-x} \\$SHOP_E $1 && true`,
      'c: SHOP_F=1; ./run $SHOP_F && for each in a b; do echo $each; done',
      'd: SHOP_G=1 ./run $SHOP_H $SHOP_G',
      `e: psql "host='$SHOP_I'"`
    ].join('\n'),
    '.env': 'SHOP_C=1'
  })
  t.match(notes.join('\n'), /: SHOP_A, SHOP_B, SHOP_H, SHOP_I have no value: set them in env, or where/)
})

t.test('where the run replaces variables, those of a shell alone are looked at', async t => {
  const {notes} = await imported(t, {
    'compose.yaml': `
services:
  web:
    build: web
    command: ["sh", "-c", "node server.js \${SHOP_A} $$SHOP_B $$\${SHOP_C}"]
    environment: {SHOP_B: x}
`,
    web: {'server.js': ''}
  })
  t.strictSame(
    notes.filter(note => note.includes('no value')),
    ['SHOP_A, SHOP_C: no value is known: set it in env, or where pillion is started']
  )
})

t.test('an env file far above the folder of an app is read', async t => {
  const deep = {b: {c: {'x.js': '', Dockerfile: 'FROM node\nCMD ["node", "x.js"]\n'}}}
  const ofProcfile = await imported(t, {Procfile: 'web: cd a/b/c && ./run $SHOP_A', '.env': 'SHOP_A=1', a: deep})
  t.notMatch(ofProcfile.notes.join('\n'), /no value is known/)
  const compose = 'services: {web: {build: ./a/b/c, env_file: .env}}'
  const {template} = await imported(t, {'compose.yaml': compose, '.env': 'SHOP_A=1', a: deep})
  t.match(template.apps, [{command: ['node', 'x.js'], envFile: /\/shop\/\.env$/}])
})

t.test('one line at the top for each cause that several apps share; an app has its own decisions alone', async t => {
  const go = {'go.mod': '', 'main.go': 'package main // ":9000"'}
  const {text, notes} = await imported(t, {
    a: {...go},
    b: {...go, 'main.go': 'package main // ":9001"'},
    c: {'package.json': '{"scripts": {"dev": "node x.js"}}'},
    d: {'package.json': '{"scripts": {"dev": "node x.js"}}'},
    e: {'package.json': '{"name": "e"}'},
    f: {'package.json': '{"name": "f"}'}
  })
  t.strictSame(notes, [
    'e, f: left out, as its package.json has no script dev, start:dev, start or serve: if it is to run, write an app with its command',
    'a, b: calls at an appPort are not held: have the code read PORT, and write port in place of appPort',
    'c, d: the files do not tell where they listen: write its number as port to carry the calls of one'
  ])
  t.notMatch(text.slice(text.indexOf('apps:')), '# import:')
})

t.test('the list at the top has ten lines, and all of them with --all', async t => {
  const keys = Array.from({length: 12}, (_, at) => `key${at}: 1`).join('\n')
  const files = {'compose.yaml': `services: {a: {image: x, labels: {}}, b: {image: x}}\n${keys}\n`}
  const {notes} = await imported(t, files, '.', undefined, {all: false})
  t.equal(notes.length, 10)
  t.equal(notes.at(-1), 'and 3 more: pillion import --all writes them')
  t.equal((await imported(t, files)).notes.length, 12)
  const services = Array.from({length: 9}, (_, at) => `s${at}: {image: x, cgroup: host, ulimits: ${at}}`).join(', ')
  const {notes: shared} = await imported(t, {'compose.yaml': `services: {${services}}`})
  t.strictSame(shared, ['s0, s1, s2, s3, s4, s5 and 3 more: cgroup, ulimits: not carried over'])
})
