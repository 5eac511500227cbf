using OpenWop.Micro.Protocol.Expressions.Syntax;

namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>Computes the value of a tree. Errors are values that travel up; the logical operators may outvote them.</summary>
internal sealed class Evaluator(ExpressionScope scope, Budget budget, int variableCount)
{
    private readonly ValueReader reader = new(budget);
    private readonly Value[] variables = variableCount == 0 ? [] : new Value[variableCount];

    public Value Evaluate(SyntaxNode node) => !budget.Spend(1) ? budget.Exhausted(node.Position) : node switch
    {
        LiteralNode literal => literal.Value,
        VariableNode variable => variables[variable.Slot],
        NameNode name => EvaluateName(name),
        SelectNode select => EvaluateSelect(select),
        IndexNode index => EvaluateIndex(index),
        BinaryNode binary => EvaluateBinary(binary),
        CallNode call => EvaluateCall(call),
        ConditionalNode conditional => EvaluateConditional(conditional),
        UnaryNode unary => EvaluateUnary(unary),
        HasNode has => EvaluateHas(has),
        ListNode list => EvaluateList(list),
        MapNode map => EvaluateMap(map),
        MacroNode macro => EvaluateMacro(macro),
        _ => throw new InvalidOperationException($"No value for {node.GetType().Name}."),
    };

    private Value EvaluateName(NameNode node) => scope.TryGet(node.Name, out var value)
        ? value
        : Value.Error(ExpressionErrorKind.Missing, node.Position, $"there is no '{node.Name}' here; known are {string.Join(", ", scope.Names)}");

    private Value EvaluateSelect(SelectNode node)
    {
        var target = Evaluate(node.Target);
        return target.Kind switch
        {
            ValueKind.Error => target,
            ValueKind.Map => reader.TryMember(target, node.Member, node.Position, out var member)
                ? member
                : Value.Error(ExpressionErrorKind.Missing, node.Position, $"there is no member '{node.Member}'"),
            ValueKind.Null => Value.Error(ExpressionErrorKind.Missing, node.Position, $"there is no member '{node.Member}' in null"),
            _ => Value.Error(ExpressionErrorKind.Type, node.Position, $"{target.Described} has no member '{node.Member}'"),
        };
    }

    private Value EvaluateIndex(IndexNode node)
    {
        var target = Evaluate(node.Target);
        if (target.IsError)
        {
            return target;
        }

        var index = Evaluate(node.Index);
        return index.IsError ? index : Collections.ItemOrMember(reader, target, index, node.Position);
    }

    /// <summary>False where the path leads to nothing, however early; other errors stay errors.</summary>
    private Value EvaluateHas(HasNode node)
    {
        var value = Evaluate(node.Path);
        return !value.IsError ? Value.True
            : value.AsError.Kind == ExpressionErrorKind.Missing ? Value.False
            : value;
    }

    private Value EvaluateUnary(UnaryNode node)
    {
        var operand = Evaluate(node.Operand);
        return operand.IsError ? operand
            : node.Operator == "-" ? Arithmetic.Negate(operand, node.Position)
            : operand.Kind == ValueKind.Bool ? Value.Bool(!operand.AsBool)
            : Value.Error(ExpressionErrorKind.Type, node.Position, $"'!' needs a bool, not {operand.Described}");
    }

    private Value EvaluateConditional(ConditionalNode node)
    {
        var condition = Evaluate(node.Condition);
        return condition.Kind switch
        {
            ValueKind.Error => condition,
            ValueKind.Bool => Evaluate(condition.AsBool ? node.Then : node.Otherwise),
            _ => Value.Error(ExpressionErrorKind.Type, node.Position, $"the condition before '?' must be a bool, not {condition.Described}"),
        };
    }

    private Value EvaluateBinary(BinaryNode node)
    {
        var left = Evaluate(node.Left);
        if (node.Operator is BinaryOperator.And or BinaryOperator.Or)
        {
            return EvaluateLogic(node, left);
        }

        if (left.IsError)
        {
            return left;
        }

        var right = Evaluate(node.Right);
        return right.IsError ? right : Operators.Apply(budget, reader, node, left, right);
    }

    /// <summary>The side that decides wins even when the other one is an error, as CEL has it.</summary>
    private Value EvaluateLogic(BinaryNode node, Value left)
    {
        var decisive = node.Operator == BinaryOperator.Or;
        left = AsCondition(node, left);
        if (left.Kind == ValueKind.Bool && left.AsBool == decisive)
        {
            return left;
        }

        var right = AsCondition(node, Evaluate(node.Right));
        return budget.IsExhausted ? budget.Exhausted(node.Position)
            : right.Kind == ValueKind.Bool && right.AsBool == decisive ? right
            : left.IsError ? left
            : right;
    }

    private static Value AsCondition(BinaryNode node, Value value) => value.Kind is ValueKind.Bool or ValueKind.Error
        ? value
        : Value.Error(ExpressionErrorKind.Type, node.Position, $"'{Grammar.Text(node.Operator)}' needs bools, not {value.Described}");

    private Value EvaluateList(ListNode node)
    {
        var items = new Value[node.Items.Length];
        for (var index = 0; index < items.Length; index++)
        {
            items[index] = Evaluate(node.Items[index]);
            if (items[index].IsError)
            {
                return items[index];
            }
        }

        return Value.List(items);
    }

    private Value EvaluateMap(MapNode node)
    {
        var members = new OrderedDictionary<string, Value>(node.KeysAndValues.Length / 2, StringComparer.Ordinal);
        for (var index = 0; index < node.KeysAndValues.Length; index += 2)
        {
            var position = node.KeysAndValues[index].Position;
            var key = Evaluate(node.KeysAndValues[index]);
            if (key.Kind != ValueKind.String)
            {
                return key.IsError ? key : Value.Error(ExpressionErrorKind.Type, position, $"a key must be a string, not {key.Described}");
            }

            var value = Evaluate(node.KeysAndValues[index + 1]);
            if (value.IsError)
            {
                return value;
            }

            if (!reader.TryText(key, position, out var name, out var failure))
            {
                return failure;
            }

            if (!members.TryAdd(name, value))
            {
                return Value.Error(ExpressionErrorKind.Value, position, "the key occurs twice in the map");
            }
        }

        return Value.Map(members);
    }

    private Value EvaluateCall(CallNode node)
    {
        var arguments = new Value[node.Arguments.Length];
        for (var index = 0; index < arguments.Length; index++)
        {
            arguments[index] = Evaluate(node.Arguments[index]);
            if (arguments[index].IsError)
            {
                return arguments[index];
            }
        }

        return node.Function.Invoke(new Functions.Call(node, budget, reader, arguments));
    }

    private Value EvaluateMacro(MacroNode node)
    {
        var range = Evaluate(node.Range);
        if (!TryRange(node, range, out var items, out var failure))
        {
            return failure;
        }

        return node.Kind switch
        {
            MacroKind.All => Quantify(node, items, decisive: false),
            MacroKind.Exists => Quantify(node, items, decisive: true),
            MacroKind.ExistsOne => ExistsOne(node, items),
            MacroKind.SortBy => SortBy(node, items),
            _ => Map(node, items),
        };
    }

    private bool TryRange(MacroNode node, Value range, out Value[] items, out Value failure)
    {
        items = [];
        switch (range.Kind)
        {
            case ValueKind.List:
                return reader.TryItems(range, node.Position, out items, out failure);
            case ValueKind.Map:
                var found = reader.TryMembers(range, node.Position, out var members, out failure);
                items = found ? [.. members.Keys.Select(Value.Text)] : [];
                return found;
            case ValueKind.Error:
                failure = range;
                return false;
            default:
                failure = Value.Error(
                    ExpressionErrorKind.Type,
                    node.Position,
                    $"'{Grammar.Text(node.Kind)}' needs a list or a map, not {range.Described}");
                return false;
        }
    }

    private Value EvaluateBody(MacroNode node, SyntaxNode body, Value item)
    {
        variables[node.Slot] = item;
        return Evaluate(body);
    }

    private Value EvaluateCondition(MacroNode node, SyntaxNode body, Value item)
    {
        var value = EvaluateBody(node, body, item);
        return value.Kind is ValueKind.Bool or ValueKind.Error
            ? value
            : Value.Error(ExpressionErrorKind.Type, body.Position, $"the condition of '{Grammar.Text(node.Kind)}' must be a bool, not {value.Described}");
    }

    /// <summary><c>all</c> and <c>exists</c>: one item may decide, whatever errors the others give.</summary>
    private Value Quantify(MacroNode node, Value[] items, bool decisive)
    {
        var result = Value.Bool(!decisive);
        foreach (var item in items)
        {
            var value = EvaluateCondition(node, node.Body, item);
            if (budget.IsExhausted)
            {
                return value.IsError ? value : budget.Exhausted(node.Position);
            }

            if (value.IsError)
            {
                result = result.IsError ? result : value;
            }
            else if (value.AsBool == decisive)
            {
                return value;
            }
        }

        return result;
    }

    private Value ExistsOne(MacroNode node, Value[] items)
    {
        var count = 0;
        foreach (var item in items)
        {
            var value = EvaluateCondition(node, node.Body, item);
            if (value.IsError)
            {
                return value;
            }

            count += value.AsBool ? 1 : 0;
        }

        return Value.Bool(count == 1);
    }

    /// <summary><c>map</c> with its optional filter, and <c>filter</c>, which maps an item to itself.</summary>
    private Value Map(MacroNode node, Value[] items)
    {
        var condition = node.Kind == MacroKind.Filter ? node.Body : node.Filter;
        var results = new List<Value>(items.Length);
        foreach (var item in items)
        {
            if (condition is not null)
            {
                var chosen = EvaluateCondition(node, condition, item);
                if (chosen.IsError)
                {
                    return chosen;
                }

                if (!chosen.AsBool)
                {
                    continue;
                }
            }

            var result = node.Kind == MacroKind.Filter ? item : EvaluateBody(node, node.Body, item);
            if (result.IsError)
            {
                return result;
            }

            results.Add(result);
        }

        return Value.List([.. results]);
    }

    private Value SortBy(MacroNode node, Value[] items)
    {
        var keys = new Value[items.Length];
        for (var index = 0; index < items.Length; index++)
        {
            keys[index] = EvaluateBody(node, node.Body, items[index]);
            if (keys[index].IsError)
            {
                return keys[index];
            }
        }

        return Sorting.Sort(budget, reader, items, keys, node.Position);
    }
}
