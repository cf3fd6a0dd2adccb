//! The operations on lists, maps, bits and sketches that main.rs leaves out, and what expressions call.
use crate::Want::{Answer, Code, Nothing};
use crate::{equal, report, shown, Smoke};
use aerospike::expressions::bitwise as xb;
use aerospike::expressions::hll as xh;
use aerospike::expressions::lists as xl;
use aerospike::expressions::maps as xm;
use aerospike::expressions::{self as exp, blob_val, int_val, list_val, string_val, ExpType, Expression};
use aerospike::operations::cdt_context::*;
use aerospike::operations::maps::MapOrder;
use aerospike::operations::{self as op, bitwise, hll, lists, maps};
use aerospike::*;

pub async fn operations(s: &Smoke) {
    let (plain, persisted) = (ListPolicy::default(), MapPolicy::default());
    let unique = ListPolicy::new(ListOrderType::Unordered, ListWriteFlags::ADD_UNIQUE);
    let five = as_list!(4, 3, 1, 5, 2);
    let six = as_list!(0, 4, 5, 9, 11, 15);
    let abc = as_map!("a" => 3, "b" => 1, "c" => 2);
    let v = |x: i64| Value::Int(x);
    let (values, count, keys) = (ListReturnType::VALUES, ListReturnType::COUNT, MapReturnType::KEY);
    let (map_values, map_count) = (MapReturnType::VALUE, MapReturnType::COUNT);
    let bits = bitwise::BitPolicy::default();
    let blob = as_blob!(vec![1u8, 0x42, 3]);
    let rows: Vec<(&str, Value, Vec<op::Operation>, crate::Want, Option<Value>)> = vec![
        (
            "lists: create",
            Value::Nil,
            vec![lists::create("b", ListOrderType::Ordered, false), lists::append_items(&plain, "b", as_values!(3, 1))],
            Answer(as_list!(Value::Nil, 2)),
            Some(as_list!(1, 3)),
        ),
        (
            "lists: create with an index",
            Value::Nil,
            vec![lists::create_with_index("b", ListOrderType::Ordered), lists::append(&plain, "b", v(1))],
            Answer(as_list!(Value::Nil, 1)),
            Some(as_list!(1)),
        ),
        (
            "lists: create, persistent",
            Value::Nil,
            vec![lists::create_persistent("b", ListOrderType::Ordered, false, true), lists::append(&plain, "b", v(1))],
            Answer(as_list!(Value::Nil, 1)),
            Some(as_list!(1)),
        ),
        ("lists: set order", five.clone(), vec![lists::set_order("b", ListOrderType::Ordered)], Nothing, Some(as_list!(1, 2, 3, 4, 5))),
        (
            "lists: set order with an index",
            five.clone(),
            vec![lists::set_order_with_index("b", ListOrderType::Ordered)],
            Nothing,
            Some(as_list!(1, 2, 3, 4, 5)),
        ),
        ("lists: insert items", as_list!(1, 2), vec![lists::insert_items(&plain, "b", 1, as_values!(8, 9))], Answer(as_list!(4)), Some(as_list!(1, 8, 9, 2))),
        ("lists: insert items, unique", as_list!(1, 2), vec![lists::insert_items(&unique, "b", 1, as_values!(8, 2))], Code(ResultCode::ElementExists), None),
        (
            "lists: pop ranges",
            five.clone(),
            vec![lists::pop_range("b", 0, 2), lists::pop_range_from("b", 1)],
            Answer(as_list!(as_list!(4, 3), as_list!(5, 2))),
            Some(as_list!(1)),
        ),
        (
            "lists: remove ranges",
            five.clone(),
            vec![lists::remove_range("b", 0, 2), lists::remove_range_from("b", 1), lists::remove("b", 0)],
            Answer(as_list!(2, 2, 1)),
            Some(Value::List(vec![])),
        ),
        (
            "lists: remove by value list, range",
            six.clone(),
            vec![lists::remove_by_value_list("b", as_values!(4, 7, 15), count), lists::remove_by_value_range("b", values, v(5), v(10))],
            Answer(as_list!(2, as_list!(5, 9))),
            Some(as_list!(0, 11)),
        ),
        (
            "lists: remove by relative rank",
            six.clone(),
            vec![lists::remove_by_value_relative_rank_range_count("b", count, v(5), -1, 2), lists::remove_by_value_relative_rank_range("b", count, v(9), 1)],
            Answer(as_list!(2, 2)),
            Some(as_list!(0, 9)),
        ),
        (
            "lists: remove by index",
            five.clone(),
            vec![lists::remove_by_index("b", 0, values), lists::remove_by_index_range_count("b", 0, 2, values), lists::remove_by_index_range("b", 1, count)],
            Answer(as_list!(4, as_list!(3, 1), 1)),
            Some(as_list!(5)),
        ),
        (
            "lists: remove by rank",
            five.clone(),
            vec![lists::remove_by_rank_range_count("b", 0, 2, count), lists::remove_by_rank_range("b", 1, count)],
            Answer(as_list!(2, 2)),
            Some(as_list!(3)),
        ),
        ("lists: set with policy", as_list!(1, 2), vec![lists::set_with_policy(&unique, "b", 0, v(2))], Code(ResultCode::ElementExists), None),
        (
            "lists: increment by one",
            as_list!(1, 2),
            vec![lists::increment_by_one("b", 0), lists::increment_by_one_with_policy(&plain, "b", 1), lists::clear("b")],
            Answer(as_list!(2, 3, Value::Nil)),
            Some(Value::List(vec![])),
        ),
        (
            "lists: get ranges",
            five.clone(),
            vec![lists::get_range("b", 1, 2), lists::get_range_from("b", 3), lists::get_by_index_range_count("b", 1, 2, ListReturnType::REVERSE_INDEX)],
            Answer(as_list!(as_list!(3, 1), as_list!(5, 2), as_list!(2, 3))),
            None,
        ),
        (
            "lists: get by rank",
            five.clone(),
            vec![lists::get_by_rank_range("b", 3, count), lists::get_by_rank_range_count("b", 3, 1, values)],
            Answer(as_list!(2, as_list!(4))),
            None,
        ),
        (
            "lists: get by relative rank",
            six.clone(),
            vec![lists::get_by_value_relative_rank_range("b", v(5), 1, count), lists::get_by_value_relative_rank_range_count("b", v(3), -3, 4, count)],
            Answer(as_list!(3, 2)),
            None,
        ),
        (
            "lists: contexts",
            as_list!(as_list!(1, 2), as_map!("k" => as_list!(7, 8))),
            vec![
                lists::size("b").context(vec![ctx_list_index(0)]),
                lists::get("b", 0).context(vec![ctx_list_rank(-1), ctx_map_index(0)]),
                lists::get("b", 1).context(vec![ctx_list_value(as_list!(1, 2))]),
                lists::get("b", 1).context(vec![ctx_list_index(1), ctx_map_key(as_val!("k"))]),
                lists::get("b", 1).context(vec![ctx_list_index(1), ctx_map_rank(0)]),
                lists::size("b").context(vec![ctx_list_index(1), ctx_map_value(as_list!(7, 8))]),
                lists::append(&plain, "b", v(1))
                    .context(vec![ctx_list_index_create(3, ListOrderType::Unordered, true), ctx_map_key_create(as_val!("n"), MapOrder::KeyOrdered)]),
            ],
            Answer(as_list!(2, 7, 2, 8, 8, 2, 1)),
            Some(as_list!(as_list!(1, 2), as_map!("k" => as_list!(7, 8)), Value::Nil, as_map!("n" => as_list!(1)))),
        ),
        (
            "maps: create",
            Value::Nil,
            vec![maps::create("b", MapOrder::KeyOrdered, vec![]), maps::put(&persisted, "b", v(2), v(1))],
            Answer(as_list!(Value::Nil, 1)),
            Some(as_map!(2 => 1)),
        ),
        (
            "maps: create with an index",
            Value::Nil,
            vec![maps::create_with_index("b", MapOrder::KeyOrdered), maps::put(&persisted, "b", v(2), v(1))],
            Answer(as_list!(Value::Nil, 1)),
            Some(as_map!(2 => 1)),
        ),
        (
            "maps: set order, clear",
            abc.clone(),
            vec![maps::set_order("b", MapOrder::KeyOrdered), maps::set_policy(&persisted, "b", vec![]), maps::clear("b")],
            Nothing,
            Some(as_map!()),
        ),
        (
            "maps: remove by keys",
            abc.clone(),
            vec![maps::remove_by_key_list("b", as_values!("a", "x"), map_count), maps::remove_by_key_range("b", as_val!("b"), as_val!("c"), map_values)],
            Answer(as_list!(1, as_list!(1))),
            Some(as_map!("c" => 2)),
        ),
        (
            "maps: remove by values",
            abc.clone(),
            vec![maps::remove_by_value_list("b", as_values!(3, 9), keys), maps::remove_by_value_range("b", v(1), v(2), keys)],
            Answer(as_list!(as_list!("a"), as_list!("b"))),
            Some(as_map!("c" => 2)),
        ),
        (
            "maps: remove by index",
            abc.clone(),
            vec![maps::remove_by_index("b", 0, keys), maps::remove_by_index_range("b", 0, 1, keys), maps::remove_by_index_range_from("b", 0, keys)],
            Answer(as_list!("a", as_list!("b"), as_list!("c"))),
            Some(as_map!()),
        ),
        (
            "maps: remove by rank",
            abc.clone(),
            vec![maps::remove_by_rank_range("b", 0, 1, keys), maps::remove_by_rank_range_from("b", 1, keys)],
            Answer(as_list!(as_list!("b"), as_list!("a"))),
            Some(as_map!("c" => 2)),
        ),
        (
            "maps: remove by relative index and rank",
            abc.clone(),
            vec![
                maps::remove_by_key_relative_index_range_count("b", as_val!("b"), -1, 1, keys),
                maps::remove_by_key_relative_index_range("b", as_val!("b"), 1, keys),
                maps::remove_by_value_relative_rank_range_count("b", v(0), 5, 1, map_count),
                maps::remove_by_value_relative_rank_range("b", v(0), 0, map_count),
            ],
            Answer(as_list!(as_list!("a"), as_list!("c"), 0, 1)),
            Some(as_map!()),
        ),
        (
            "maps: get by index and rank",
            abc.clone(),
            vec![
                maps::get_by_index_range_from("b", 1, keys),
                maps::get_by_rank_range("b", 0, 2, keys),
                maps::get_by_rank_range_from("b", 1, map_values),
                maps::get_by_key("b", as_val!("b"), MapReturnType::EXISTS),
            ],
            Answer(as_list!(as_list!("b", "c"), as_list!("b", "c"), as_list!(2, 3), true)),
            None,
        ),
        (
            "maps: get by relative index and rank",
            abc.clone(),
            vec![
                maps::get_by_key_relative_index_range("b", as_val!("b"), 0, keys),
                maps::get_by_key_relative_index_range_count("b", as_val!("b"), -1, 1, keys),
                maps::get_by_value_relative_rank_range("b", v(2), 0, keys),
                maps::get_by_value_relative_rank_range_count("b", v(2), -1, 1, keys),
            ],
            Answer(as_list!(as_list!("b", "c"), as_list!("a"), as_list!("c", "a"), as_list!("b"))),
            None,
        ),
        (
            "maps: pairs",
            abc.clone(),
            vec![maps::get_by_key_range("b", as_val!("b"), as_val!("z"), MapReturnType::ORDERED_MAP)],
            Answer(as_list!(as_map!("b" => 1, "c" => 2))),
            None,
        ),
        (
            "bits: resize, or, xor, right shift",
            blob.clone(),
            vec![
                bitwise::resize("b", 4, bitwise::BitwiseResizeFlags::DEFAULT, &bits),
                bitwise::or("b", 24, 8, as_blob!(vec![0x0fu8]), &bits),
                bitwise::xor("b", 0, 8, as_blob!(vec![0xffu8]), &bits),
                bitwise::rshift("b", 8, 8, 1, &bits),
            ],
            Nothing,
            Some(as_blob!(vec![0xfeu8, 0x21, 3, 0x0f])),
        ),
        (
            "bits: subtract, set a number",
            blob.clone(),
            vec![bitwise::subtract("b", 8, 8, 2, false, bitwise::BitwiseOverflowActions::Fail, &bits), bitwise::set_int("b", 16, 8, 9, &bits)],
            Nothing,
            Some(as_blob!(vec![1u8, 0x40, 9])),
        ),
    ];
    for (name, before, ops, want, after) in rows {
        // One operation answers by itself, several with a list.
        let want = match want {
            Answer(Value::List(list)) if ops.len() == 1 => Answer(list[0].clone()),
            other => other,
        };
        s.row(name, before, ops, want, after).await;
    }
}

pub async fn sketches(s: &Smoke) {
    let policy = hll::HllPolicy::default();
    let result = async {
        let key = s.key("sketches of two");
        let make = vec![
            hll::init_with_min_hash(&policy, "b", 10, 20),
            hll::add(&policy, "b", as_values!("a", "b", "c")),
            hll::add_with_index_and_min_hash(&policy, "g", as_values!("c", "d"), 10, 20),
            hll::add_with_index(&policy, "w", as_values!("a"), 12),
        ];
        s.client.operate(&s.write, &key, &make).await.map_err(shown)?;
        let other = s.client.get(&s.read, &key, Bins::All).await.map_err(shown)?.bins["g"].clone();
        let asked = vec![
            hll::get_union_count("b", vec![other.clone()]),
            hll::get_intersect_count("b", vec![other.clone()]),
            hll::refresh_count("b"),
            hll::set_union(&policy, "b", vec![other.clone()]),
            hll::get_count("b"),
            hll::describe("b"),
        ];
        let record = s.client.operate(&s.write, &key, &asked).await.map_err(shown)?;
        equal(&record.bins["b"], &as_list!(4, 1, 3, Value::Nil, 4, as_list!(10, 20)))?;
        let folded = s.client.operate(&s.write, &key, &[hll::fold("w", 8), hll::describe("w")]).await.map_err(shown)?;
        equal(&folded.bins["w"], &as_list!(Value::Nil, as_list!(8, 0)))?;
        let similar =
            s.client.operate(&s.write, &key, &[hll::get_similarity("b", vec![other.clone()]), hll::get_union("b", vec![other])]).await.map_err(shown)?;
        match &similar.bins["b"] {
            Value::MultiResult(list) if list.len() == 2 => Ok(()),
            other => Err(format!("got {other:?}")),
        }
    }
    .await;
    report("sketches: every operation", result);
}

pub async fn calls(s: &Smoke) {
    let key = s.key("calls");
    let bins = [
        as_bin!("l", as_list!(4, 3, 1, 5, 2, 3)),
        as_bin!("o", as_list!(0, 4, 5, 9, 11, 15)),
        Bin::new("m".to_string(), as_map!("a" => 3, "b" => 1, "c" => 2)),
        Bin::new("n".to_string(), as_map!(0 => 17, 4 => 2, 5 => 15, 9 => 10)),
        as_bin!("y", as_blob!(vec![1u8, 0x42, 3])),
        as_bin!("books", as_list!(as_map!("t" => "A", "p" => 8), as_map!("t" => "B", "p" => 12))),
    ];
    s.client.put(&s.write, &key, &bins).await.unwrap();
    let (none, inverted, keys) = (ListReturnType::NONE, ListReturnType::NONE.inverted(), MapReturnType::KEY);
    let (values, map_none) = (ListReturnType::VALUES, MapReturnType::NONE);
    let (l, o, m, n, y) = (|| exp::list_bin("l"), || exp::list_bin("o"), || exp::map_bin("m"), || exp::map_bin("n"), || exp::blob_bin("y"));
    let (i, t) = (int_val, |x: &str| string_val(x));
    let (list_policy, map_policy) = (ListPolicy::default, MapPolicy::default());
    let bits = bitwise::BitPolicy::default();
    let price = || exp::exp_int_loop_var(exp::LoopVarPart::VALUE);
    let all_prices = [ctx_all_children(), ctx_map_key(as_val!("p"))];
    let high = [ctx_all_children(), ctx_map_key(as_val!("p")), ctx_and_filter(exp::gt(price(), int_val(10)))];
    let rows: Vec<(&str, Expression, Value)> = vec![
        ("list insert items", xl::insert_items(list_policy(), i(1), list_val(as_values!(8, 9)), l(), &[]), as_list!(4, 8, 9, 3, 1, 5, 2, 3)),
        ("list clear", xl::clear(l(), &[]), Value::List(vec![])),
        ("list remove by value list", xl::remove_by_value_list(none, list_val(as_values!(1, 2, 9)), l(), &[]), as_list!(4, 3, 5, 3)),
        ("list remove by value range", xl::remove_by_value_range(none, Some(i(2)), Some(i(4)), l(), &[]), as_list!(4, 1, 5)),
        ("list remove by value range without end", xl::remove_by_value_range(none, Some(i(3)), None, l(), &[]), as_list!(1, 2)),
        ("list remove by value range without begin", xl::remove_by_value_range(none, None, Some(i(3)), l(), &[]), as_list!(4, 3, 5, 3)),
        ("list remove by relative rank", xl::remove_by_value_relative_rank_range(none, i(5), i(1), o(), &[]), as_list!(0, 4, 5)),
        ("list remove by relative rank, counted", xl::remove_by_value_relative_rank_range_count(none, i(5), i(-1), i(2), o(), &[]), as_list!(0, 9, 11, 15)),
        ("list remove by index", xl::remove_by_index(none, i(0), l(), &[]), as_list!(3, 1, 5, 2, 3)),
        ("list remove by index range", xl::remove_by_index_range(none, i(2), l(), &[]), as_list!(4, 3)),
        ("list remove by index range, counted", xl::remove_by_index_range_count(inverted, i(1), i(4), l(), &[]), as_list!(3, 1, 5, 2)),
        ("list remove by rank range", xl::remove_by_rank_range(none, i(2), l(), &[]), as_list!(1, 2)),
        ("list remove by rank range, counted", xl::remove_by_rank_range_count(none, i(-2), i(1), l(), &[]), as_list!(3, 1, 5, 2, 3)),
        ("list get by relative rank", xl::get_by_value_relative_rank_range(ListReturnType::COUNT, i(5), i(1), o(), &[]), as_val!(3)),
        ("list get by relative rank, counted", xl::get_by_value_relative_rank_range_count(ListReturnType::COUNT, i(3), i(-3), i(4), o(), &[]), as_val!(2)),
        ("list get by index range", xl::get_by_index_range_count(values, i(1), i(2), l(), &[]), as_list!(3, 1)),
        ("list get by rank range", xl::get_by_rank_range(ListReturnType::COUNT, i(1), l(), &[]), as_val!(5)),
        ("list get by rank range, counted", xl::get_by_rank_range_count(ListReturnType::COUNT, i(1), i(2), l(), &[]), as_val!(2)),
        ("list get by value range to infinity", xl::get_by_value_range(ListReturnType::COUNT, Some(i(3)), Some(exp::infinity()), l(), &[]), as_val!(4)),
        ("map clear", xm::clear(m(), &[]), as_map!()),
        ("map remove by key list", xm::remove_by_key_list(map_none, list_val(as_values!("a", "x")), m(), &[]), as_map!("b" => 1, "c" => 2)),
        ("map remove by key range", xm::remove_by_key_range(map_none, Some(t("a")), Some(t("c")), m(), &[]), as_map!("c" => 2)),
        ("map remove by key range without end", xm::remove_by_key_range(map_none, Some(t("b")), None, m(), &[]), as_map!("a" => 3)),
        ("map remove by relative index", xm::remove_by_key_relative_index_range(map_none, i(5), i(0), n(), &[]), as_map!(0 => 17, 4 => 2)),
        (
            "map remove by relative index, counted",
            xm::remove_by_key_relative_index_range_count(map_none, i(5), i(-1), i(1), n(), &[]),
            as_map!(0 => 17, 5 => 15, 9 => 10),
        ),
        ("map remove by value list", xm::remove_by_value_list(map_none, list_val(as_values!(1, 3, 9)), m(), &[]), as_map!("c" => 2)),
        ("map remove by value range", xm::remove_by_value_range(map_none, Some(i(1)), Some(i(3)), m(), &[]), as_map!("a" => 3)),
        ("map remove by relative rank", xm::remove_by_value_relative_rank_range(map_none, i(11), i(-1), n(), &[]), as_map!(4 => 2)),
        (
            "map remove by relative rank, counted",
            xm::remove_by_value_relative_rank_range_count(map_none, i(11), i(-1), i(1), n(), &[]),
            as_map!(0 => 17, 4 => 2, 5 => 15),
        ),
        ("map remove by index", xm::remove_by_index(map_none, i(0), m(), &[]), as_map!("b" => 1, "c" => 2)),
        ("map remove by index range", xm::remove_by_index_range(map_none, i(1), m(), &[]), as_map!("a" => 3)),
        ("map remove by index range, counted", xm::remove_by_index_range_count(map_none, i(0), i(2), m(), &[]), as_map!("c" => 2)),
        ("map remove by rank range", xm::remove_by_rank_range(map_none, i(1), m(), &[]), as_map!("b" => 1)),
        ("map remove by rank range, counted", xm::remove_by_rank_range_count(map_none, i(0), i(1), m(), &[]), as_map!("a" => 3, "c" => 2)),
        ("map get by relative index", xm::get_by_key_relative_index_range(keys, i(5), i(0), n(), &[]), as_list!(5, 9)),
        ("map get by relative index, counted", xm::get_by_key_relative_index_range_count(keys, i(5), i(-1), i(1), n(), &[]), as_list!(4)),
        ("map get by relative rank", xm::get_by_value_relative_rank_range(keys, i(11), i(1), n(), &[]), as_list!(0)),
        ("map get by relative rank, counted", xm::get_by_value_relative_rank_range_count(keys, i(11), i(-1), i(1), n(), &[]), as_list!(9)),
        ("map get by index range", xm::get_by_index_range_count(keys, i(0), i(2), m(), &[]), as_list!("a", "b")),
        ("map get by rank range", xm::get_by_rank_range(keys, i(1), m(), &[]), as_list!("c", "a")),
        ("map get by rank range, counted", xm::get_by_rank_range_count(keys, i(0), i(2), m(), &[]), as_list!("b", "c")),
        (
            "map put, nested",
            xm::put(&map_policy, t("t"), t("C"), xl::get_by_index(values, ExpType::Map, i(0), exp::list_bin("books"), &[]), &[]),
            as_map!("t" => "C", "p" => 8),
        ),
        ("map keys, values", exp::map_keys(m()), as_list!("a", "b", "c")),
        ("map values", exp::map_values(m()), as_list!(3, 1, 2)),
        ("bit resize", xb::resize(&bits, i(2), bitwise::BitwiseResizeFlags::FROM_FRONT, y()), as_blob!(vec![0x42u8, 3])),
        (
            "bit or, xor",
            xb::or(&bits, i(0), i(8), blob_val(vec![0xf0]), xb::xor(&bits, i(8), i(8), blob_val(vec![0xff]), y())),
            as_blob!(vec![0xf1u8, 0xbd, 3]),
        ),
        ("bit right shift", xb::rshift(&bits, i(8), i(8), i(1), y()), as_blob!(vec![1u8, 0x21, 3])),
        ("bit subtract", xb::subtract(&bits, i(8), i(8), i(2), false, bitwise::BitwiseOverflowActions::Fail, y()), as_blob!(vec![1u8, 0x40, 3])),
        ("bit set a number", xb::set_int(&bits, i(0), i(8), i(7), y()), as_blob!(vec![7u8, 0x42, 3])),
        ("integers", exp::int_xor(vec![exp::int_or(vec![i(8), i(1)]), exp::int_and(vec![i(3), i(1)])]), as_val!(8)),
        ("shifts", exp::int_lshift(exp::int_rshift(i(-8), i(60)), i(1)), as_val!(30)),
        ("arithmetic", exp::num_abs(exp::num_sub(vec![i(2), i(7)])), as_val!(5)),
        ("path, values", exp::exp_select_values(ExpType::List, exp::list_bin("books"), &all_prices), as_list!(8, 12)),
        ("path, with a filter", exp::exp_select_values(ExpType::List, exp::list_bin("books"), &high), as_list!(12)),
        ("path, a tree", exp::exp_select_matching_tree(ExpType::List, exp::list_bin("books"), &all_prices), as_list!(as_map!("p" => 8), as_map!("p" => 12))),
        (
            "path, keys",
            exp::exp_select_map_keys(ExpType::List, exp::map_bin("m"), &[ctx_all_children_with_filter(exp::gt(price(), int_val(1)))]),
            as_list!("a", "c"),
        ),
        ("path, entries", exp::exp_select_map_entries(ExpType::List, exp::map_bin("m"), &[ctx_map_keys_in(["a", "z"])]), as_list!("a", 3)),
        (
            "path, modified",
            exp::exp_modify(ExpType::Map, exp::map_bin("m"), exp::num_mul(vec![price(), int_val(2)]), &[ctx_all_children()]),
            as_map!("a" => 6, "b" => 2, "c" => 4),
        ),
        ("path, removed", exp::exp_remove(ExpType::Map, exp::map_bin("m"), &[ctx_map_key(as_val!("a"))]), as_map!("b" => 1, "c" => 2)),
    ];
    for (name, call, want) in rows {
        let ops = vec![op::exp::read_exp("answer", call, op::exp::ExpReadFlags::DEFAULT)];
        let got = s.client.operate(&s.write, &key, &ops).await.map_err(shown).and_then(|record| equal(&record.bins["answer"], &want));
        report(&format!("calls: {name}"), got);
    }
    let sketch = s.key("sketch calls");
    let policy = hll::HllPolicy::default;
    let made = [
        hll::add_with_index_and_min_hash(&policy(), "h", as_values!("a", "b", "c"), 10, 20),
        hll::add_with_index_and_min_hash(&policy(), "g", as_values!("c", "d"), 10, 20),
    ];
    s.client.operate(&s.write, &sketch, &made).await.unwrap();
    let (h, g) = (|| exp::hll_bin("h"), || exp::hll_bin("g"));
    for (name, call, want) in [
        ("sketch init", xh::describe(xh::init_with_min_hash(policy(), i(12), i(4), h())), as_list!(12, 4)),
        ("sketch add", xh::get_count(xh::add(policy(), list_val(as_values!("x", "a")), h())), as_val!(4)),
        ("sketch add with bits", xh::get_count(xh::add_with_index_and_min_hash(policy(), list_val(as_values!("x")), i(10), i(20), h())), as_val!(4)),
        ("sketch union", xh::get_count(xh::get_union(g(), h())), as_val!(4)),
        ("sketch union count", xh::get_union_count(g(), h()), as_val!(4)),
        ("sketch intersect count", xh::get_intersect_count(g(), h()), as_val!(1)),
        ("sketch may contain", xh::may_contain(list_val(as_values!("a")), h()), as_val!(1)),
    ] {
        let ops = vec![op::exp::read_exp("answer", call, op::exp::ExpReadFlags::DEFAULT)];
        let got = s.client.operate(&s.write, &sketch, &ops).await.map_err(shown).and_then(|record| equal(&record.bins["answer"], &want));
        report(&format!("calls: {name}"), got);
    }
    let written = async {
        let ops = [op::exp::write_exp("w", exp::num_add(vec![int_val(1), int_val(2)]), op::exp::ExpWriteFlags::CREATE_ONLY), op::get_bin("w")];
        let record = s.client.operate(&s.write, &sketch, &ops).await.map_err(shown)?;
        equal(&record.bins["w"], &as_list!(Value::Nil, 3))
    }
    .await;
    report("calls: written", written);
}
