import t from 'tap'
import {imported} from './read.ts'

const map = (data: string, namespace: string): string =>
  `kind: ConfigMap\nmetadata: {name: c, namespace: ${namespace}}\ndata: ${data}\n`

t.test('an overlay adds to a ConfigMap of its base; one of another namespace is another one', async t => {
  const pod =
    'kind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: busybox, envFrom: [{configMapRef: {name: c}}]}]}\n'
  const {template} = await imported(
    t,
    {
      base: {
        'kustomization.yaml':
          'resources: [pod.yaml, other.yaml]\nconfigMapGenerator: [{name: c, literals: [A=1, B=1]}]\n',
        'pod.yaml': pod,
        'other.yaml': map('{A: "9", D: "9"}', 'other')
      },
      over: {
        'kustomization.yaml':
          'resources: [../base]\nconfigMapGenerator: [{name: c, behavior: merge, literals: [B=2, C=2]}]\n'
      }
    },
    'over/kustomization.yaml',
    'kubernetes'
  )
  t.strictSame(template.apps[0]?.['env'], {A: '1', B: '2', C: '2'})
})

t.test('kustomize: quotes around a literal are none of its value, and all of a line of a file is', async t => {
  const {template} = await imported(
    t,
    {
      'kustomization.yaml': `resources: [pod.yaml]
configMapGenerator:
- name: c
  envs: [c.env]
  literals: ['A="a b"', "B='b=1'", 'C="c', D=d]
`,
      'c.env': '# none\n\n  E="e"\nF=f # f\r\nG=$A\n',
      'pod.yaml':
        'kind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: x, envFrom: [{configMapRef: {name: c}}]}]}\n'
    },
    '.',
    'kubernetes'
  )
  t.strictSame(template.apps[0]?.['env'], {E: '"e"', F: 'f # f', G: '$A', A: 'a b', B: 'b=1', C: '"c', D: 'd'})
})
