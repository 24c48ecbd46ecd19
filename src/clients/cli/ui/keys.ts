import {ownOf} from '../../../model/own.ts'
import type {TextPage} from './view.ts'

const UI_KEYS = [
  ['↑ ↓ j k', 'select an app; with PgUp, PgDn, Home and End faster'],
  ['l Enter', 'its log on the whole screen'],
  ['r', 'restart it'],
  ['x', 'stop it'],
  ['s', 'start it'],
  ['a', 'attach to its terminal, if it has one (tty: true)'],
  ['d', 'stop its process, and show how to start it in a debugger'],
  ['t', 'its latest request as a tree of calls (trace)'],
  ['/', 'show only the apps whose name or state contains a word; Esc shows all'],
  ['?', 'this help'],
  ['Esc', 'back'],
  ['q Ctrl-C', 'quit; the run continues']
] as const

/** The page of `?`. */
export const KEYS_PAGE: TextPage = {title: 'Keys', lines: UI_KEYS.map(([keys, text]) => `  ${keys.padEnd(10)}${text}`)}

export type Move = 'up' | 'down' | 'page up' | 'page down' | 'home' | 'end'

/** A key: a sequence (ECMA-48 CSI; SS3 in the mode of keypads), or a character. */
const KEY = /\x1b\[[\d;]*[A-Za-z~]|\x1bO[A-Z]|[^]/g // oxlint-disable-line no-control-regex -- what terminals send

const MOVES: Readonly<Record<string, Move>> = {
  '\x1b[A': 'up',
  k: 'up',
  '\x1b[B': 'down',
  j: 'down',
  '\x1b[5~': 'page up',
  '\x1b[6~': 'page down',
  '\x1b[H': 'home',
  '\x1b[1~': 'home',
  g: 'home',
  '\x1b[F': 'end',
  '\x1b[4~': 'end',
  G: 'end'
}

/** Returns the moves that the keys of a chunk of input ask for; the mode of keypads sends O in place of [. */
export const movesIn = (chunk: string): readonly Move[] =>
  [...chunk.matchAll(KEY)].flatMap(([key]) => ownOf(MOVES, key.replace('\x1bO', '\x1b[')) ?? [])
