import com.aerospike.client.Bin;
import com.aerospike.client.Operation;
import com.aerospike.client.ResultCode;
import com.aerospike.client.Value;
import com.aerospike.client.Value.HLLValue;
import com.aerospike.client.operation.BitOperation;
import com.aerospike.client.operation.BitOverflowAction;
import com.aerospike.client.operation.BitPolicy;
import com.aerospike.client.operation.BitResizeFlags;
import com.aerospike.client.operation.BitWriteFlags;
import com.aerospike.client.operation.HLLOperation;
import com.aerospike.client.operation.HLLPolicy;
import com.aerospike.client.operation.HLLWriteFlags;
import java.util.List;
import java.util.stream.IntStream;

/** Every bit and HyperLogLog operation with the official Java client. Usage: Bits HOST PORT. */
class Bits extends Harness {
	static final byte[] FIVE = bytes(0x01, 0x42, 0x03, 0x04, 0x05);
	static final BitPolicy PLAIN = BitPolicy.Default, CREATE = new BitPolicy(BitWriteFlags.CREATE_ONLY), UPDATE = new BitPolicy(BitWriteFlags.UPDATE_ONLY);
	static final BitPolicy NO_FAIL = new BitPolicy(BitWriteFlags.NO_FAIL), PARTIAL = new BitPolicy(BitWriteFlags.PARTIAL);
	static final int OUTSIDE = ResultCode.OP_NOT_APPLICABLE;

	static List<Value> numbers(int from, int to) { return IntStream.range(from, to).mapToObj(Value::get).toList(); }

	public static void main(String[] args) {
		connect(args);
		table("bits",
			row("resize", FIVE, BitOperation.resize(PLAIN, BIN, 6, BitResizeFlags.DEFAULT), null, bytes(1, 0x42, 3, 4, 5, 0)),
			row("resize from front", FIVE, BitOperation.resize(PLAIN, BIN, 4, BitResizeFlags.FROM_FRONT), null, bytes(0x42, 3, 4, 5)),
			row("resize, grow only", FIVE, BitOperation.resize(PLAIN, BIN, 3, BitResizeFlags.GROW_ONLY), refused(ResultCode.PARAMETER_ERROR)),
			row("resize creates", null, BitOperation.resize(CREATE, BIN, 2, BitResizeFlags.DEFAULT), null, bytes(0, 0)),
			row("resize, create only", FIVE, BitOperation.resize(CREATE, BIN, 2, BitResizeFlags.DEFAULT), refused(ResultCode.BIN_EXISTS_ERROR)),
			row("resize, update only", null, BitOperation.resize(UPDATE, BIN, 2, BitResizeFlags.DEFAULT), refused(ResultCode.BIN_NOT_FOUND)),
			row("insert", FIVE, BitOperation.insert(PLAIN, BIN, 1, bytes(0xff)), null, bytes(1, 0xff, 0x42, 3, 4, 5)),
			row("insert of a long value", FIVE, BitOperation.insert(PLAIN, BIN, 5, new byte[300]), null, java.util.Arrays.copyOf(FIVE, 305)),
			row("remove", FIVE, BitOperation.remove(PLAIN, BIN, 0, 4), null, bytes(5)),
			row("remove, partial", FIVE, BitOperation.remove(PARTIAL, BIN, 3, 4), null, bytes(1, 0x42, 3)),
			row("set", FIVE, BitOperation.set(PLAIN, BIN, 13, 3, bytes(0xe0)), null, bytes(1, 0x47, 3, 4, 5)),
			row("set outside", FIVE, BitOperation.set(PLAIN, BIN, 41, 8, bytes(0xff)), refused(OUTSIDE)),
			row("set outside, no fail", FIVE, BitOperation.set(NO_FAIL, BIN, 41, 8, bytes(0xff)), null),
			row("or", FIVE, BitOperation.or(PLAIN, BIN, 17, 6, bytes(0xa8)), null, bytes(1, 0x42, 0x57, 4, 5)),
			row("xor", FIVE, BitOperation.xor(PLAIN, BIN, 17, 6, bytes(0xac)), null, bytes(1, 0x42, 0x55, 4, 5)),
			row("and", FIVE, BitOperation.and(PLAIN, BIN, 23, 9, bytes(0x3c, 0x80)), null, bytes(1, 0x42, 2, 0, 5)),
			row("not", FIVE, BitOperation.not(PLAIN, BIN, 25, 6), null, bytes(1, 0x42, 3, 0x7a, 5)),
			row("left shift", FIVE, BitOperation.lshift(PLAIN, BIN, 32, 8, 3), null, bytes(1, 0x42, 3, 4, 0x28)),
			row("right shift", FIVE, BitOperation.rshift(PLAIN, BIN, 0, 9, 1), null, bytes(0, 0xc2, 3, 4, 5)),
			row("add", FIVE, BitOperation.add(PLAIN, BIN, 24, 16, 128, false, BitOverflowAction.FAIL), null, bytes(1, 0x42, 3, 4, 0x85)),
			row("add overflows", bytes(255), BitOperation.add(PLAIN, BIN, 0, 8, 1, false, BitOverflowAction.FAIL), refused(OUTSIDE)),
			row("add saturates", bytes(250), BitOperation.add(PLAIN, BIN, 0, 8, 100, false, BitOverflowAction.SATURATE), null, bytes(255)),
			row("add wraps", bytes(255), BitOperation.add(PLAIN, BIN, 0, 8, 2, false, BitOverflowAction.WRAP), null, bytes(1)),
			row("add of a negative number", bytes(5), BitOperation.add(PLAIN, BIN, 0, 8, -2, true, BitOverflowAction.FAIL), null, bytes(3)),
			row("subtract", FIVE, BitOperation.subtract(PLAIN, BIN, 24, 16, 128, false, BitOverflowAction.FAIL), null, bytes(1, 0x42, 3, 3, 0x85)),
			row("set a number", FIVE, BitOperation.setInt(PLAIN, BIN, 1, 8, 127), null, bytes(0x3f, 0xc2, 3, 4, 5)),
			row("reads", FIVE, ops(BitOperation.get(BIN, 9, 5), BitOperation.count(BIN, 20, 12), BitOperation.lscan(BIN, 24, 8, true), BitOperation.rscan(BIN, 32, 8, true),
				BitOperation.getInt(BIN, 8, 16, false), BitOperation.getInt(BIN, -8, 8, true)), list(bytes(0x80), 3, 5, 7, 0x4203, 5), SAME),
			row("get outside", FIVE, BitOperation.get(BIN, 36, 8), refused(OUTSIDE)),
			row("of a string", "text", BitOperation.count(BIN, 0, 8), refused(ResultCode.BIN_TYPE_ERROR)),
			row("of a missing bin", null, BitOperation.count(BIN, 0, 8), null),
			row("with another operation all of them answer", FIVE, ops(BitOperation.not(PLAIN, BIN, 0, 8), BitOperation.get(BIN, 0, 8), Operation.get(BIN)),
				list(null, bytes(0xfe), bytes(0xfe, 0x42, 3, 4, 5)), bytes(0xfe, 0x42, 3, 4, 5)));

		HLLPolicy plain = HLLPolicy.Default;
		check("sketches count", () -> {
			equal(answer("hll", HLLOperation.init(plain, BIN, 4, 4), HLLOperation.describe(BIN), HLLOperation.init(plain, BIN, 12), HLLOperation.describe(BIN)), list(null, list(4, 4), null, list(12, 4)));
			List<?> got = (List<?>) answer("hll", HLLOperation.init(plain, BIN, 12, 0), HLLOperation.add(plain, BIN, numbers(0, 1000)), HLLOperation.getCount(BIN), HLLOperation.refreshCount(BIN));
			long count = (Long) got.get(2);
			if (count < 950 || count > 1050) throw new AssertionError(got);
			equal(got.get(3), count);
		});
		check("sketches unite", () -> {
			client.operate(null, key("unite"), HLLOperation.add(plain, "x", numbers(0, 100), 8, 20), HLLOperation.add(plain, "y", numbers(50, 150), 8, 20));
			HLLValue x = get("unite").getHLLValue("x"), y = get("unite").getHLLValue("y");
			put("unite", new Bin(BIN, x));
			List<?> got = (List<?>) answer("unite", HLLOperation.getUnion(BIN, List.of(y)), HLLOperation.getUnionCount(BIN, List.of(y)), HLLOperation.getIntersectCount(BIN, List.of(y)),
				HLLOperation.getSimilarity(BIN, List.of(y)), HLLOperation.getUnionCount(BIN, List.of(x, y)));
			put("union", new Bin(BIN, (HLLValue) got.get(0)));
			equal(answer("union", HLLOperation.getCount(BIN)), got.get(1));
			equal(got.get(4), got.get(1));
			if ((Double) got.get(3) < 0.1 || (Double) got.get(3) > 0.6) throw new AssertionError(got);
			equal(answer("unite", HLLOperation.setUnion(plain, BIN, List.of(y)), HLLOperation.getCount(BIN)), list(null, got.get(1)));
			equal(answer("made", HLLOperation.setUnion(plain, BIN, List.of(x, y)), HLLOperation.getCount(BIN)), list(null, got.get(1)));
		});
		check("sketches fold", () -> {
			equal(answer("fold", HLLOperation.add(plain, BIN, values("a"), 12), HLLOperation.fold(BIN, 8), HLLOperation.describe(BIN)), list(1, null, list(8, 0)));
			refused(OUTSIDE, () -> answer("fold", HLLOperation.fold(BIN, 12)));
			refused(ResultCode.BIN_NOT_FOUND, () -> answer("fold", HLLOperation.fold("none", 8)));
		});
		check("flags of sketches", () -> {
			HLLPolicy create = new HLLPolicy(HLLWriteFlags.CREATE_ONLY);
			answer("flags", HLLOperation.add(create, BIN, values("a"), 8));
			refused(ResultCode.BIN_EXISTS_ERROR, () -> answer("flags", HLLOperation.add(create, BIN, values("b"), 8)));
			equal(answer("flags", HLLOperation.add(new HLLPolicy(HLLWriteFlags.CREATE_ONLY | HLLWriteFlags.NO_FAIL), BIN, values("b"), 8)), null);
			refused(ResultCode.BIN_NOT_FOUND, () -> answer("flags", HLLOperation.init(new HLLPolicy(HLLWriteFlags.UPDATE_ONLY), "none", 8)));
			refused(ResultCode.PARAMETER_ERROR, () -> answer("flags", HLLOperation.init(plain, "x", 3)));
			refused(ResultCode.PARAMETER_ERROR, () -> answer("flags", HLLOperation.init(plain, "x", 16, 51)));
			refused(OUTSIDE, () -> answer("flags", HLLOperation.add(plain, "x", values("a"))));
		});
		end();
	}
}
