/**
 * What runs when no file is named: enough to try everything on one machine, reachable from that machine alone.
 */
export const DEFAULT_CONFIG_NAME = 'embedded default configuration';

export const DEFAULT_CONFIG_TEXT = `\
service {
	cluster-name caltrop
	work-directory ./data
	http-address 127.0.0.1
	http-port 3008
}

logging {
	console {
		context any info
	}
}

network {
	service {
		address 127.0.0.1
		port 3000
	}
}

# Lives in memory and ends with the process.
namespace test {
	replication-factor 1
	default-ttl 0
	nsup-period 120

	storage-engine memory {
		data-size 4G
	}
}

# Survives it.
namespace durable {
	replication-factor 1
	default-ttl 0
	nsup-period 120

	storage-engine device {
		file ./data/durable.dat
		filesize 1G
	}
}
`;
