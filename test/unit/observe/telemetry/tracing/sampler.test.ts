import t from 'tap'
import {Sampler, samplingRate} from '../../../../../src/observe/telemetry/tracing/tracer.ts'

const trace = (last: string): string => '1'.repeat(16) + last.padEnd(16, '0')

t.test('the rate as written', async t => {
  const table: readonly (readonly [string, number])[] = [
    ['', 1e-4],
    ['often', 1e-4],
    [' 1', 1e-4],
    ['1', 1],
    ['0', 0],
    ['0.0', 0],
    ['.25', 0.25],
    ['1e-2', 0.01]
  ]
  for (const [text, rate] of table) t.equal(samplingRate(text), rate, text)
})

t.test('a root is sampled by its id, a child as its parent', async t => {
  const table: readonly (readonly [rate: number, last: string, expected: boolean])[] = [
    [1, 'ffffffffffffffff', true],
    [0, '0', false],
    [0.5, '7fffffffffffffff', true],
    [0.5, '8', false],
    [0.25, '3fffffffffffffff', true],
    [0.25, '4', false],
    [1e-4, '00068db8', true],
    [1e-4, '00068db9', false]
  ]
  for (const [rate, last, expected] of table)
    t.equal(new Sampler(rate).isSampled(undefined, trace(last)), expected, `${rate} ${last}`)
  const parent = {traceId: trace('f'), spanId: '1'.repeat(16), tracestate: ''}
  t.equal(new Sampler(0).isSampled({...parent, flags: 1}, parent.traceId), true)
  t.equal(new Sampler(1).isSampled({...parent, flags: 2}, parent.traceId), false)
})

t.test('the description that Dapr logs', async t => {
  const others =
    'remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler'
  for (const [rate, root] of [
    [1, 'AlwaysOnSampler'],
    [0.0001, 'TraceIDRatioBased{0.0001}'],
    [1e-7, 'TraceIDRatioBased{1e-07}'],
    [0.25, 'TraceIDRatioBased{0.25}']
  ] as const)
    t.equal(new Sampler(rate).description, `ParentBased{root:${root},${others}}`)
})
