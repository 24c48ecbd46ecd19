import {ownOf} from '../../../model/own.ts'

const MS: Readonly<Record<string, number>> = {H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001}
const TIMEOUT = /^(\d{1,8})([HMSmun])$/

/** `grpc-timeout` in ms; undefined if it is invalid (gRPC over HTTP/2, Timeout). */
export const timeoutMs = (text: string): number | undefined => {
  const [, digits = '', unit = ''] = TIMEOUT.exec(text) ?? []
  return digits === '' ? undefined : Number(digits) * (ownOf(MS, unit) ?? 0)
}

/** A time in ms as `grpc-timeout`, with the finest unit whose number has at most 8 digits. */
export const timeoutText = (ms: number): string => {
  const whole = Math.max(0, ms)
  if (whole < 99_999) return `${Math.ceil(whole * 1000)}u`
  if (whole < 99_999_999) return `${Math.ceil(whole)}m`
  return `${Math.min(99_999_999, Math.ceil(whole / 1000))}S`
}
