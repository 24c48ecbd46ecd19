import {signal} from '@preact/signals'
import {read, write} from './token.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'pillion-theme'
const kept = read(KEY)

export const theme = signal<Theme>(THEMES.find(name => name === kept) ?? 'system')

export function setTheme(name: string): void {
  theme.value = THEMES.find(each => each === name) ?? 'system'
  write(KEY, theme.value)
  document.documentElement.dataset['theme'] = theme.value
}

setTheme(theme.value)
