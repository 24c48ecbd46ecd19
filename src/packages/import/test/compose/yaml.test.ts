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
