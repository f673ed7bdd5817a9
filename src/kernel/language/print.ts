// Canonical text of a rule or expression. Two rules that mean the same tree print the same text, whatever
// spaces, letter case or defaults their writers chose, and the text parses back to that tree. With
// `valueOf` given, variables print as their values: the key under which a series or condition is cached.

import { findIndicator } from '../indicators/catalog.ts';
import {
  type Expression,
  type IndicatorCall,
  type Rule,
  constantValue,
  isConstant,
} from './ast.ts';

export type VariableValue = (name: string) => number;

export function printExpression(expression: Expression, valueOf?: VariableValue): string {
  if (valueOf !== undefined && isConstant(expression)) {
    return String(constantValue(expression, valueOf));
  }
  switch (expression.kind) {
    case 'number':
      return String(expression.value);
    case 'variable':
      return `$${expression.name}`;
    case 'field':
      return expression.field;
    case 'indicator':
      return printCall(expression, valueOf);
    case 'offset':
      return `${printExpression(expression.operand, valueOf)}[${expression.bars}]`;
    case 'timeframe':
      return `${printExpression(expression.operand, valueOf)}@${expression.timeframe}`;
    case 'negate':
      return `(-${printExpression(expression.operand, valueOf)})`;
    case 'arithmetic': {
      const left = printExpression(expression.left, valueOf);
      return `(${left} ${expression.op} ${printExpression(expression.right, valueOf)})`;
    }
  }
}

export function printRule(rule: Rule, valueOf?: VariableValue): string {
  switch (rule.kind) {
    case 'compare': {
      const left = printExpression(rule.left, valueOf);
      return `${left} ${rule.op} ${printExpression(rule.right, valueOf)}`;
    }
    case 'any':
    case 'all':
      return `${rule.kind}{${rule.rules.map((part) => printRule(part, valueOf)).join('; ')}}`;
    case 'not':
      return `not{${printRule(rule.rule, valueOf)}}`;
  }
}

/** The call without its output: all outputs of one call are computed at once. */
export function printCallKey(call: IndicatorCall, valueOf?: VariableValue): string {
  const definition = findIndicator(call.name);
  const parts: string[] = [];
  const { source } = call;
  const isDefault = source?.kind === 'field' && source.field === definition?.source;
  if (source !== null && !isDefault) parts.push(printExpression(source, valueOf));
  for (const parameter of call.parameters) parts.push(printExpression(parameter, valueOf));
  return `${call.name}(${parts.join(', ')})`;
}

function printCall(call: IndicatorCall, valueOf?: VariableValue): string {
  const key = printCallKey(call, valueOf);
  return findIndicator(call.name)?.outputs.length === 1 ? key : `${key}.${call.output}`;
}
