package model

import (
	"fmt"
	"net/netip"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// ipAddressType is the parameter type ipaddress in CEL.
var ipAddressType = cel.ObjectType("IPAddress")

// ipAddress is a value of type ipaddress, IPv4 or IPv6.
type ipAddress struct{ addr netip.Addr }

func convertIPAddress(value any) (ref.Val, error) {
	if text, ok := value.(string); ok {
		if addr, err := netip.ParseAddr(text); err == nil {
			return ipAddress{addr}, nil
		}
	}
	return nil, wrongType(value, `ipaddress, as in "192.168.0.1"`)
}

// inCIDR is address.in_cidr("192.168.0.0/24") in an expression.
func inCIDR(address, network ref.Val) ref.Val {
	prefix, err := netip.ParsePrefix(string(network.(types.String)))
	if err != nil {
		return types.NewErr("%v is not a network, as in 192.168.0.0/24", network)
	}
	return types.Bool(prefix.Contains(address.(ipAddress).addr))
}

// ConvertToNative returns an error: nothing outside of expressions takes an address.
func (a ipAddress) ConvertToNative(target reflect.Type) (any, error) {
	return nil, fmt.Errorf("an ipaddress does not convert to %v", target)
}

// ConvertToType returns the address's type for type(address), else an error: the
// language has no conversion from an address.
func (a ipAddress) ConvertToType(target ref.Type) ref.Val {
	if target == types.TypeType {
		return ipAddressType
	}
	return types.NewErr("an ipaddress does not convert to %s", target.TypeName())
}

// Equal compares two addresses.
func (a ipAddress) Equal(other ref.Val) ref.Val {
	b, ok := other.(ipAddress)
	return types.Bool(ok && a == b)
}

// Type returns the type in CEL.
func (a ipAddress) Type() ref.Type { return ipAddressType }

// Value returns the address as a netip.Addr.
func (a ipAddress) Value() any { return a.addr }
