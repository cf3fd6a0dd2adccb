import com.aerospike.client.AerospikeClient;
import com.aerospike.client.AerospikeException;
import com.aerospike.client.BatchDelete;
import com.aerospike.client.BatchRead;
import com.aerospike.client.BatchRecord;
import com.aerospike.client.BatchWrite;
import com.aerospike.client.Bin;
import com.aerospike.client.Key;
import com.aerospike.client.Operation;
import com.aerospike.client.Record;
import com.aerospike.client.ResultCode;
import com.aerospike.client.Value;
import com.aerospike.client.async.EventLoop;
import com.aerospike.client.async.EventLoops;
import com.aerospike.client.async.EventPolicy;
import com.aerospike.client.async.NettyEventLoops;
import com.aerospike.client.async.NioEventLoops;
import com.aerospike.client.cdt.ListOperation;
import com.aerospike.client.exp.Exp;
import com.aerospike.client.listener.BatchListListener;
import com.aerospike.client.listener.BatchOperateListListener;
import com.aerospike.client.listener.BatchRecordArrayListener;
import com.aerospike.client.listener.BatchRecordSequenceListener;
import com.aerospike.client.listener.BatchSequenceListener;
import com.aerospike.client.listener.DeleteListener;
import com.aerospike.client.listener.ExistsArrayListener;
import com.aerospike.client.listener.ExistsListener;
import com.aerospike.client.listener.ExistsSequenceListener;
import com.aerospike.client.listener.InfoListener;
import com.aerospike.client.listener.RecordArrayListener;
import com.aerospike.client.listener.RecordListener;
import com.aerospike.client.listener.RecordSequenceListener;
import com.aerospike.client.listener.WriteListener;
import com.aerospike.client.policy.BatchPolicy;
import com.aerospike.client.policy.ClientPolicy;
import com.aerospike.client.policy.GenerationPolicy;
import com.aerospike.client.policy.Policy;
import com.aerospike.client.policy.WritePolicy;
import io.netty.channel.nio.NioEventLoopGroup;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Every asynchronous command of the official Java client, on each kind of event loop that it has. Usage: Async HOST PORT. */
class Async extends Harness {
	static final int NOT_FOUND = ResultCode.KEY_NOT_FOUND_ERROR;

	/** What a command answers, as the listener that is asked for; sequences come as a map of keys, since rows come in any order. */
	static class Answer<T> extends CompletableFuture<T>
		implements WriteListener, DeleteListener, ExistsListener, RecordListener, RecordArrayListener, RecordSequenceListener, ExistsArrayListener, ExistsSequenceListener, BatchListListener,
			BatchSequenceListener, BatchOperateListListener, BatchRecordSequenceListener, BatchRecordArrayListener, InfoListener {
		final Map<Object, Object> rows = Collections.synchronizedMap(new HashMap<>());

		@SuppressWarnings("unchecked")
		void done(Object value) { complete((T) value); }

		public void onSuccess(Key key) { done(key); }
		public void onSuccess(Key key, boolean existed) { done(existed); }
		public void onSuccess(Key key, Record record) { done(record); }
		public void onSuccess(Key[] keys, Record[] records) { done(records); }
		public void onSuccess(Key[] keys, boolean[] exists) { done(exists); }
		public void onSuccess(List list) { done(list); }
		public void onSuccess(List<BatchRecord> records, boolean status) { done(status); }
		public void onSuccess(BatchRecord[] records, boolean status) { done(records); }
		public void onSuccess(Map answers) { done(answers); }
		public void onSuccess() { done(rows); }
		public void onRecord(Key key, Record record) { rows.put(key.userKey.toString(), record); }
		public void onRecord(BatchRead row) { rows.put(row.key.userKey.toString(), row.record); }
		public void onRecord(BatchRecord row, int index) { rows.put(index, row); }
		public void onExists(Key key, boolean exists) { rows.put(key.userKey.toString(), exists); }
		public void onFailure(AerospikeException e) { completeExceptionally(e); }
		public void onFailure(BatchRecord[] records, AerospikeException e) { completeExceptionally(e); }
	}

	@SuppressWarnings("unchecked")
	static <T> T wait(Consumer<Answer<T>> command) throws Exception {
		Answer<T> answer = new Answer<>();
		command.accept(answer);
		try {
			return answer.get(20, TimeUnit.SECONDS);
		} catch (ExecutionException e) {
			throw (Exception) e.getCause();
		}
	}

	static void run(String kind, EventLoops loops) {
		ClientPolicy config = patient();
		config.eventLoops = loops;
		config.asyncMinConnsPerNode = 2;
		config.asyncMaxConnsPerNode = 100;
		AerospikeClient c = new AerospikeClient(config, host);
		EventLoop loop = loops.get(0);
		Key one = key(kind), none = key(kind + " none");
		Key[] keys = new Key[20];
		for (int i = 0; i < keys.length; i++) keys[i] = key(kind + i);
		Key[] some = {keys[0], keys[7], none};
		check(kind + ": single-record commands", () -> {
			Async.<Key>wait(a -> c.put(loop, (WriteListener) a, null, one, new Bin("i", 1), new Bin("s", "b"), new Bin("l", list(1))));
			Async.<Key>wait(a -> c.add(loop, (WriteListener) a, null, one, new Bin("i", 4)));
			Async.<Key>wait(a -> c.append(loop, (WriteListener) a, null, one, new Bin("s", "c")));
			Async.<Key>wait(a -> c.prepend(loop, (WriteListener) a, null, one, new Bin("s", "a")));
			Async.<Key>wait(a -> c.touch(loop, (WriteListener) a, null, one));
			equal(Async.<Boolean>wait(a -> c.touched(loop, (ExistsListener) a, null, one)), true);
			equal(Async.<Boolean>wait(a -> c.touched(loop, (ExistsListener) a, null, none)), false);
			equal(Async.<Record>wait(a -> c.get(loop, (RecordListener) a, null, one)).bins, map("i", 5, "s", "abc", "l", list(1)));
			equal(Async.<Record>wait(a -> c.get(loop, (RecordListener) a, null, one, "i", "none")).bins, map("i", 5));
			equal(Async.<Record>wait(a -> c.getHeader(loop, (RecordListener) a, null, one)).generation, 6);
			equal(Async.<Record>wait(a -> c.get(loop, (RecordListener) a, null, none)), null);
			Operation[] ops = {ListOperation.append("l", Value.get(2)), Operation.get("s"), ListOperation.size("l")};
			equal(Async.<Record>wait(a -> c.operate(loop, (RecordListener) a, null, one, ops)).bins, map("l", list(2, 2), "s", "abc"));
			equal(Async.<Boolean>wait(a -> c.exists(loop, (ExistsListener) a, null, one)), true);
			equal(Async.<Boolean>wait(a -> c.delete(loop, (DeleteListener) a, null, one)), true);
			equal(Async.<Boolean>wait(a -> c.delete(loop, (DeleteListener) a, null, one)), false);
			equal(Async.<Boolean>wait(a -> c.exists(loop, (ExistsListener) a, null, one)), false);
		});
		check(kind + ": errors of single-record commands", () -> {
			Async.<Key>wait(a -> c.put(loop, (WriteListener) a, null, one, new Bin("i", 1)));
			refused(ResultCode.BIN_TYPE_ERROR, () -> wait(a -> c.append(loop, (WriteListener) a, null, one, new Bin("i", "x"))));
			refused(ResultCode.OP_NOT_APPLICABLE, () -> wait(a -> c.operate(loop, (RecordListener) a, null, one, ListOperation.append("l", Value.get(1)), ListOperation.get("l", 7))));
			refused(NOT_FOUND, () -> wait(a -> c.touch(loop, (WriteListener) a, null, none)));
			refused(ResultCode.RECORD_TOO_BIG, () -> wait(a -> c.put(loop, (WriteListener) a, null, one, new Bin("y", new byte[2 << 20]))));
			WritePolicy stale = writePolicy();
			stale.generationPolicy = GenerationPolicy.EXPECT_GEN_EQUAL;
			stale.generation = 7;
			refused(ResultCode.GENERATION_ERROR, () -> wait(a -> c.delete(loop, (DeleteListener) a, stale, one)));
			Policy filter = new Policy(client.readPolicyDefault);
			filter.filterExp = Exp.build(Exp.eq(Exp.intBin("i"), Exp.val(2)));
			filter.failOnFilteredOut = true;
			refused(ResultCode.FILTERED_OUT, () -> wait(a -> c.get(loop, (RecordListener) a, filter, one)));
			equal(Async.<Record>wait(a -> c.get(loop, (RecordListener) a, null, one)).bins, map("i", 1));
		});
		check(kind + ": batch reads", () -> {
			for (int i = 0; i < keys.length; i++) client.put(null, keys[i], new Bin("i", i), new Bin("l", list(i, i)));
			equal(Async.<Record[]>wait(a -> c.get(loop, (RecordArrayListener) a, null, keys))[19].bins, map("i", 19, "l", list(19, 19)));
			equal(Async.<Map<?, ?>>wait(a -> c.get(loop, (RecordSequenceListener) a, null, keys)).size(), 20);
			equal(Async.<Record[]>wait(a -> c.get(loop, (RecordArrayListener) a, null, some, "i"))[1].bins, map("i", 7));
			Map<?, ?> rows = Async.<Map<?, ?>>wait(a -> c.get(loop, (RecordSequenceListener) a, null, some, "i"));
			equal(((Record) rows.get(kind + 7)).bins, map("i", 7));
			equal(rows.get(kind + " none"), null);
			equal(Async.<Record[]>wait(a -> c.get(loop, (RecordArrayListener) a, null, some, ListOperation.size("l"), Operation.get("i")))[1].bins, map("l", 2, "i", 7));
			rows = Async.<Map<?, ?>>wait(a -> c.get(loop, (RecordSequenceListener) a, null, some, ListOperation.size("l")));
			equal(((Record) rows.get(kind + 0)).bins, map("l", 2));
			equal(Async.<Record[]>wait(a -> c.getHeader(loop, (RecordArrayListener) a, null, some))[0].generation, 1);
			equal(Async.<Map<?, ?>>wait(a -> c.getHeader(loop, (RecordSequenceListener) a, null, some)).size(), 3);
			equal(Async.<boolean[]>wait(a -> c.exists(loop, (ExistsArrayListener) a, null, some)), new boolean[] {true, true, false});
			equal(Async.<Map<?, ?>>wait(a -> c.exists(loop, (ExistsSequenceListener) a, null, some)), map(kind + 0, true, kind + 7, true, kind + " none", false));
			List<BatchRead> reads = List.of(new BatchRead(keys[0], true), new BatchRead(keys[1], new String[] {"i"}), new BatchRead(keys[2], false), new BatchRead(keys[3], Operation.array(ListOperation.get("l", 0))),
				new BatchRead(none, true));
			Async.<List<?>>wait(a -> c.get(loop, (BatchListListener) a, null, reads));
			equal(reads.stream().map(each -> each.resultCode).toList(), list(0, 0, 0, 0, NOT_FOUND));
			equal(reads.get(3).record.bins, map("l", 3));
			equal(Async.<Map<?, ?>>wait(a -> c.get(loop, (BatchSequenceListener) a, null, reads)).size(), 5);
		});
		check(kind + ": batch writes", () -> {
			List<BatchRecord> rows = List.of(new BatchWrite(keys[0], Operation.array(Operation.add(new Bin("i", 1)), Operation.get("i"))), new BatchRead(keys[1], true), new BatchDelete(keys[2]), new BatchDelete(none),
				new BatchWrite(keys[3], Operation.array(ListOperation.append("i", Value.get(1)))));
			equal(Async.<Boolean>wait(a -> c.operate(loop, (BatchOperateListListener) a, null, rows)), false);
			equal(rows.stream().map(each -> each.resultCode).toList(), list(0, 0, 0, NOT_FOUND, ResultCode.BIN_TYPE_ERROR));
			equal(rows.get(0).record.bins, map("i", list(null, 1)));
			Map<?, ?> got = Async.<Map<?, ?>>wait(a -> c.operate(loop, (BatchRecordSequenceListener) a, null, rows));
			equal(((BatchRecord) got.get(2)).resultCode, NOT_FOUND);
			BatchRecord[] written = wait(a -> c.operate(loop, (BatchRecordArrayListener) a, null, null, keys, Operation.put(new Bin("n", 1)), Operation.get("n")));
			equal(written[19].record.bins, map("n", list(null, 1)));
			got = Async.<Map<?, ?>>wait(a -> c.operate(loop, (BatchRecordSequenceListener) a, null, null, keys, Operation.add(new Bin("n", 1))));
			equal(got.size(), 20);
			equal(client.get(null, keys[5]).getLong("n"), 2L);
			BatchRecord[] deleted = wait(a -> c.delete(loop, (BatchRecordArrayListener) a, null, null, some));
			equal(deleted[2].resultCode, NOT_FOUND);
			got = Async.<Map<?, ?>>wait(a -> c.delete(loop, (BatchRecordSequenceListener) a, null, null, keys));
			equal(((BatchRecord) got.get(0)).resultCode, NOT_FOUND);
			equal(((BatchRecord) got.get(1)).resultCode, 0);
		});
		check(kind + ": large batches, compressed and not", () -> {
			Key[] many = new Key[3000];
			for (int i = 0; i < many.length; i++) many[i] = key(kind + " many " + i);
			for (boolean compress : new boolean[] {false, true}) {
				BatchPolicy policy = new BatchPolicy(client.batchPolicyDefault);
				policy.compress = compress;
				BatchRecord[] written = wait(a -> c.operate(loop, (BatchRecordArrayListener) a, policy, null, many, Operation.put(new Bin("t", "x".repeat(300)))));
				for (BatchRecord each : written) equal(each.resultCode, 0);
				Record[] got = wait(a -> c.get(loop, (RecordArrayListener) a, policy, many));
				for (Record each : got) equal(each.getString("t").length(), 300);
			}
		});
		check(kind + ": many commands at once", () -> {
			List<Answer<Object>> answers = new ArrayList<>();
			for (int i = 0; i < 2000; i++) {
				Answer<Object> answer = new Answer<>();
				answers.add(answer);
				Key key = key(kind + " at once " + i % 50);
				if (i < 1000) c.operate(loops.next(), (RecordListener) answer, null, key, Operation.add(new Bin("n", 1)), Operation.get("n"));
				else c.get(loops.next(), (RecordListener) answer, null, key);
			}
			for (Answer<Object> each : answers) each.get(20, TimeUnit.SECONDS);
			for (int i = 0; i < 50; i++) equal(get(kind + " at once " + i).getLong("n"), 20L);
		});
		check(kind + ": large values", () -> {
			byte[] large = new byte[900_000];
			for (boolean compress : new boolean[] {false, true}) {
				WritePolicy policy = writePolicy();
				policy.compress = compress;
				Async.<Key>wait(a -> c.put(loop, (WriteListener) a, policy, one, new Bin("y", large)));
				equal(((byte[]) Async.<Record>wait(a -> c.get(loop, (RecordListener) a, policy, one)).getValue("y")).length, large.length);
			}
		});
		check(kind + ": info", () -> {
			Map<?, ?> answers = wait(a -> c.info(loop, (InfoListener) a, null, c.getNodes()[0], "build", "namespaces", "nonsense"));
			equal(answers.get("namespaces"), "test");
			equal(answers.size(), 3);
		});
		c.close();
		loops.close();
	}

	public static void main(String[] args) {
		connect(args);
		Map<String, EventLoops> kinds = new LinkedHashMap<>();
		EventPolicy queue = new EventPolicy();
		queue.maxCommandsInProcess = 40;
		kinds.put("event loops of the client", new NioEventLoops(queue, 2));
		kinds.put("event loops of Netty", new NettyEventLoops(queue, new NioEventLoopGroup(2)));
		kinds.forEach(Async::run);
		end();
	}
}
