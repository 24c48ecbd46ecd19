import {statSync} from 'node:fs'
import {constants} from 'node:os'
import {setImmediate as yieldToOthers} from 'node:timers/promises'
import {orElse} from '../model/or-else.ts'
import {namesInFolder, systemText} from './paths.ts'
import type {ProcessSnapshot, Particulars, Seen} from './process-info.ts'

/** How long a scan of the process table runs before it yields to calls and output. */
const SLICE_MS = 3

/** Scans /proc (proc(5)) once. Processes that exit in the meantime are left out. */
export async function lookThroughProc(): Promise<ProcessSnapshot> {
  const all: Seen[] = []
  let sliceEnds = performance.now() + SLICE_MS
  for (const name of namesInFolder('/proc').filter(each => each >= '0' && each < ':')) {
    const seen = seeInProc(Number(name))
    if (seen !== undefined) all.push(seen)
    if (performance.now() < sliceEnds) continue
    await yieldToOthers()
    sliceEnds = performance.now() + SLICE_MS
  }
  const environments = new Map<number, string>()
  const environmentAt = (pid: number): string => {
    const environment = environments.get(pid) ?? environmentOf(pid)
    environments.set(pid, environment)
    return environment
  }
  return {
    all,
    carries: (pid, marker) => hasMarker(environmentAt(pid), marker),
    isBare: pid => environmentAt(pid) === ''
  }
}

/** Reads one process, if it exists. */
export function seeInProc(pid: number): Seen | undefined {
  const stat = read(pid, 'stat')
  return stat === '' ? undefined : parseStat(pid, stat)
}

/** Whether a process is stopped by a signal (proc(5): state T). */
export const isSuspendedInProc = (pid: number): boolean => /^\d+ \(.*\) T /s.test(read(pid, 'stat'))

/** Returns the fields of `pid (comm) state ppid pgrp session …` from the state on: comm may contain anything, so they begin after the last parenthesis. */
export const statFields = (stat: string): readonly string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ')

export function parseStat(pid: number, stat: string): Seen {
  const fields = statFields(stat)
  const number = (at: number): number => Number(fields[at])
  return {
    pid,
    parent: number(1),
    group: number(2),
    session: number(3),
    started: number(19),
    isZombie: fields[0] === 'Z' || fields[0] === 'X'
  }
}

/** Reads the facts that are checked again before a signal to a process. */
export function readParticulars(pid: number): Particulars | undefined {
  const seen = seeInProc(pid)
  const uid = ownerOf(pid)
  if (seen === undefined || seen.isZombie || uid === undefined) return undefined
  const environment = environmentOf(pid)
  const command = read(pid, 'cmdline').replaceAll('\0', ' ').trim()
  const status = read(pid, 'status')
  return {
    started: seen.started,
    uid,
    command,
    activity: activityIn(status),
    catches: signal => hasCaught(status, constants.signals[signal]),
    carries: marker => hasMarker(environment, marker)
  }
}

/** Returns a text that changes when the process runs or a signal waits (proc(5)). A process that is running has not counted its next context switch yet. */
const activityIn = (status: string): string =>
  /^State:\s+R/m.test(status)
    ? `runs at ${performance.now()}`
    : (status.match(/^(?:SigPnd|ShdPnd|\w*ctxt_switches):.*$/gm) ?? []).join()

/** Whether a process has a handler for a signal, by the mask of caught signals (proc(5)), whose lowest bit is signal 1. */
function hasCaught(status: string, signal: number): boolean {
  const [, mask = '0'] = /^SigCgt:\s*([\da-f]+)$/m.exec(status) ?? []
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n
}

const environmentOf = (pid: number): string => read(pid, 'environ')

const hasMarker = (environment: string, marker: string): boolean => `\0${environment}`.includes(`\0${marker}\0`)

const read = (pid: number, name: string): string => systemText(`/proc/${pid}/${name}`)

const ownerOf = (pid: number): number | undefined =>
  // fails if the process has exited
  orElse(() => statSync(`/proc/${pid}`).uid, undefined)
